"""Bytes that may be too many for memory: kept in memory while few, in a temporary file beyond."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

_CHUNK_BYTES = 1 << 20


class Spool:
    """An append-only store of bytes that can be read again and again; gone with its object.

    Args:
        memory_bytes: How much is kept in memory before a temporary file takes over.
    """

    def __init__(self, memory_bytes: int) -> None:
        self._file = SpooledTemporaryFile(max_size=memory_bytes)  # noqa: SIM115 - lives as long as this
        self._byte_count = 0

    def __del__(self) -> None:
        # The file would close itself too, but not without a warning.
        self._file.close()

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._file.seek(0, 2)
        self._file.write(data)
        self._byte_count += len(data)

    @property
    def byte_count(self) -> int:
        """How many bytes were added."""
        return self._byte_count

    def rewound(self) -> BinaryIO:
        """Return the bytes as a file, from the first one; one reader at a time."""
        self._file.seek(0)
        return cast("BinaryIO", self._file)

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes in chunks of a mebibyte, from the first one."""
        file = self.rewound()
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
