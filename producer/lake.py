"""The lake: objects, and the operations the producer needs."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class LakeObject:
    """One object about to be written.

    Attributes:
        key: Its real, unencoded key.
        body: Its bytes, stored as they are.
        metadata: Its origin; any text, encoded for S3 by `ascii_metadata`.
        content_encoding: "gzip" when `body` is compressed, else None.
    """

    key: str
    body: bytes
    metadata: Mapping[str, str]
    content_encoding: str | None = None

    def ascii_metadata(self) -> dict[str, str]:
        """Return the metadata with the body's digest, as S3 takes it.

        S3 carries metadata in HTTP headers, so values are percent-encoded, as in keys; the
        colons of times stay readable.
        """
        encoded = {name: quote(value, safe=":") for name, value in self.metadata.items()}
        return {**encoded, "sha-256": hashlib.sha256(self.body).hexdigest()}


@dataclass(frozen=True, slots=True)
class LakeEntry:
    """One object as a listing or a write describes it; `etag` is unquoted."""

    key: str
    size_bytes: int
    etag: str | None
    last_modified: datetime
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, in the order of keys."""

    entries: tuple[LakeEntry, ...]
    is_last: bool


class Lake(Protocol):
    """An object store. Every call is safe to repeat, and raises a LakeError when it fails."""

    async def put(self, obj: LakeObject) -> LakeEntry:
        """Write one object, replacing what lies under its key; return what was written."""
        ...

    async def list_page(self, prefix: str, after: str) -> Page:
        """Return the first objects under `prefix` whose keys come after `after`."""
        ...

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        """Return an object's metadata as S3 keeps it; None when there is no such object."""
        ...


async def entries_after(lake: Lake, prefix: str, after: str = "") -> AsyncIterator[LakeEntry]:
    """Yield the objects under `prefix` whose keys come after `after`, in the order of keys.

    Raises:
        LakeError: They could not be listed.
    """
    while True:
        page = await lake.list_page(prefix, after)
        for entry in page.entries:
            yield entry
        if page.is_last or not page.entries:
            return
        after = page.entries[-1].key
