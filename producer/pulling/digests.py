"""The digests of answers in the lake: those of an object never change.

Between rounds they are kept in memory, and from one process to the next in one object. What is
known of neither costs a HEAD.
"""

from collections.abc import Mapping
from datetime import date

import structlog
from pydantic import TypeAdapter, ValidationError

from producer.errors import LakeError
from producer.lake import Lake
from producer.lease_table import LeaseTable
from producer.pulling.content import CONTENT_DIGEST

#: Outside `raw/`, so that no event announces it.
DIGESTS_KEY = "logs/producer/digests.json"
_MOST = 100_000  # about 30 MB; 100 stores of which 200 days are asked for again
_KEPT = TypeAdapter(dict[str, str])

log = structlog.get_logger(__name__)


class Digests:
    """Asks the lake for a digest once; what it forgets is asked for again."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[str, str] = {}
        self._is_kept = False  # whether all that is known was written, or read

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
        self._is_kept = False

    async def read(self, table: LeaseTable) -> None:
        """Learn what an earlier process kept; without it, the lake is asked answer by answer."""
        try:
            body = (await table.read_tagged(DIGESTS_KEY)).body
        except LakeError as error:
            log.warning("digests_not_read", code=error.code, reason=str(error))
            return
        for key, digest in _digests_in(body).items():
            self.note(key, digest)
        self._is_kept = True

    async def keep(self, table: LeaseTable, first_day: date) -> None:
        """Write what is known of answers since `first_day` for the next process.

        What other producers know of other stores stays. Of two that write at once one gives way,
        until its next round: all that may get lost is the saving of a HEAD.
        """
        if self._is_kept:
            return
        try:
            seen = await table.read_tagged(DIGESTS_KEY)
            kept = self._merged(_digests_in(seen.body), first_day)
            self._is_kept = await table.write_if(DIGESTS_KEY, _KEPT.dump_json(kept), seen.tag)
        except LakeError as error:
            log.warning("digests_not_kept", code=error.code, reason=str(error))

    def _merged(self, kept: Mapping[str, str], first_day: date) -> dict[str, str]:
        ours = {key.rpartition("/")[0] for key in self._known}
        others = {key: each for key, each in kept.items() if key.rpartition("/")[0] not in ours}
        since = first_day.isoformat()
        return {
            key: digest
            for key, digest in (others | self._known).items()
            if key.partition("/busDt=")[2][: len(since)] >= since
        }


def _digests_in(body: bytes | None) -> dict[str, str]:
    try:
        return _KEPT.validate_json(body or b"{}")
    except ValidationError:
        log.warning("digests_unreadable", outcome="they are replaced")
        return {}
