"""Bytes that may be too many for memory: kept in memory while few, in a temporary file beyond."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from consumer.errors import LocalDisk

_CHUNK_BYTES = 1 << 20


def check_temporary_files() -> None:
    """Write a mebibyte where large documents pass through, or raise LocalDisk. Blocks."""
    Spool(1).append(bytes(_CHUNK_BYTES))


class Spool:
    """An append-only store of bytes; a temporary file beyond `memory_bytes`, 1 or more."""

    def __init__(self, memory_bytes: int) -> None:
        self._file = SpooledTemporaryFile(max_size=memory_bytes)  # noqa: SIM115 - lives as long as this
        self.byte_count = 0

    def __del__(self) -> None:
        # The file would close itself too, but not without a warning. What a full disk did not take
        # is tried once more, and not needed any more.
        with suppress(OSError):
            self._file.close()

    def append(self, data: bytes) -> None:
        """Add bytes at the end.

        Raises:
            LocalDisk: the temporary file cannot take them.
        """
        try:
            self._file.seek(0, 2)
            self._file.write(data)
            # Now rather than when it is read: a full disk is then told while nothing is loaded yet.
            self._file.flush()
        except OSError as error:
            directory = tempfile.tempdir or "no directory is usable, so they"
            raise LocalDisk(
                f"{directory} cannot hold temporary files: {error.strerror or error}; give it room "
                "for twice the largest document, or set TMPDIR to another directory and restart",
                is_about_object=True,
            ) from error
        self.byte_count += len(data)

    def rewound(self) -> BinaryIO:
        """Return the bytes as a file, from the first one; one reader at a time."""
        self._file.seek(0)
        return cast("BinaryIO", self._file)

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes in chunks of a mebibyte, from the first one."""
        file = self.rewound()
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
