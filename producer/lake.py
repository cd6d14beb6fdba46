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
    """One object about to be written."""

    key: str  # real, unencoded
    body: bytes
    metadata: Mapping[str, str]  # any text, encoded for S3 by `ascii_metadata`
    content_encoding: str | None = None  # "gzip" when `body` is compressed

    def ascii_metadata(self) -> dict[str, str]:
        """Return the metadata, percent-encoded for HTTP headers, with the body's digest."""
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


class Lake(Protocol):
    """An object store. Every call is safe to repeat, and raises a LakeError when it fails."""

    async def put(self, obj: LakeObject) -> LakeEntry:
        """Write one object, replacing what lies under its key; return what was written."""
        ...

    def entries(self, prefix: str, after: str = "") -> AsyncIterator[LakeEntry]:
        """Yield the objects under `prefix` whose keys come after `after`, in the order of keys."""
        ...

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        """Return an object's metadata as S3 keeps it; None when there is no such object."""
        ...
