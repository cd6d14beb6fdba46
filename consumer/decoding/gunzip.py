"""Reading a document's bytes, gunzipped if they are gzip, and never more of them than allowed.

The first bytes tell what is gzip: neither `Content-Encoding` nor the key's ending is reliable.
"""

import gzip
import zlib
from io import BufferedIOBase, BytesIO
from typing import BinaryIO, cast

from consumer.errors import Permanent
from schemas.codes import ErrorCode
from schemas.file_kinds import GZIP_MAGIC

_CHUNK_BYTES = 1 << 20


def read_whole(data: bytes, max_bytes: int, memory_bytes: int) -> bytes | None:
    """Return a document that is in memory, unpacked; None when it is larger than `memory_bytes`.

    Raises:
        Permanent: as `PlainReader.read` does.
    """
    if not data.startswith(GZIP_MAGIC) and len(data) <= min(max_bytes, memory_bytes):
        return data  # nearly all are, and a copy takes as long as to find all records
    return PlainReader(BytesIO(data), max_bytes).read_all(memory_bytes)


class PlainReader:
    """Reads one document of at most `max_bytes` once decompressed; `file` must be seekable."""

    def __init__(self, file: BinaryIO, max_bytes: int) -> None:
        packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        # The mode is given because that of a spool is the one it was written in.
        unpacked = gzip.GzipFile(fileobj=file, mode="rb") if packed else file
        self._file = cast("BufferedIOBase", unpacked)
        self._max_bytes = max_bytes
        self._byte_count = 0

    def read_all(self, memory_bytes: int) -> bytes | None:
        """Return everything, or None when it is more than that; raises what `read` raises."""
        chunks: list[bytes] = []
        # Little by little: in one read, gzip would first take all the memory that it may.
        while self._byte_count <= memory_bytes:
            chunk = self.read(_CHUNK_BYTES)
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)
        return None

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end.

        Raises:
            Permanent: `object_too_large` beyond the limit, `encoding_invalid` for broken gzip.
        """
        try:
            data = self._file.read(min(size, self._max_bytes + 1 - self._byte_count))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Permanent(
                ErrorCode.ENCODING_INVALID,
                f"the gzip stream is broken: {error}; upload it again",
            ) from error
        self._byte_count += len(data)
        if self._byte_count > self._max_bytes:
            raise Permanent(
                ErrorCode.OBJECT_TOO_LARGE,
                f"more than {self._max_bytes} bytes once decompressed; split it or raise "
                "MAX_DECOMPRESSED_BYTES",
            )
        return data
