"""What the producer writes, and the one thing it asks of a lake."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class LakeObject:
    """One object about to be written.

    Attributes:
        key: Its real, unencoded key.
        body: Its bytes, stored as they are.
        metadata: What is worth knowing about its origin; any text, encoded for S3 here.
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


class Lake(Protocol):
    """Somewhere objects are kept."""

    async def put(self, obj: LakeObject) -> None:
        """Write one object, replacing what lies under its key; safe to repeat.

        Raises:
            LakeError: It was not written, or not provably.
        """
        ...
