"""The digests of answers in the lake, kept between rounds: those of an object never change."""

from producer.lake import Lake
from producer.pulling.content import CONTENT_DIGEST

_MOST = 100_000  # about 30 MB; 100 stores of which 200 days are asked for again


class Digests:
    """Asks the lake for a digest once; what it forgets is asked for again."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[str, str] = {}

    async def of(self, lake: Lake, key: str) -> str | None:
        """Return the digest of an answer; None if its object has none, or is gone.

        Raises:
            LakeError: the lake could not be asked.
        """
        if key in self._known:
            return self._known[key]
        digest = (await lake.metadata(key) or {}).get(CONTENT_DIGEST)
        if digest is not None:
            self.note(key, digest)
        return digest

    def note(self, key: str, digest: str, instead_of: str | None = None) -> None:
        """Remember a digest, and no longer that of the answer `instead_of`, which was newest."""
        if instead_of is not None:
            self._known.pop(instead_of, None)
        while len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[key] = digest
