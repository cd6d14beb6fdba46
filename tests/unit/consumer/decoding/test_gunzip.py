"""Documents gunzipped as they are read, and never further than allowed."""

import gzip
import tracemalloc
from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.decoding.gunzip import PlainReader, read_whole
from consumer.errors import Permanent
from schemas.codes import ErrorCode

TEXT = b'{"locRef": "1", "guestChecks": [' + b'{"guestCheckId": 1},' * 500 + b"{}]}"


def read(reader: PlainReader, size: int) -> bytes | None:
    """Read everything, at once if size is negative."""
    return reader.read_all(10**9) if size < 0 else b"".join(iter(lambda: reader.read(size), b""))


def refusal(data: bytes, max_bytes: int = 10**9, size: int = -1) -> ErrorCode:
    """Read all that can be read and return the code of the refusal."""
    reader = PlainReader(BytesIO(data), max_bytes)
    with pytest.raises(Permanent) as raised:
        read(reader, size)
    return raised.value.code


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.booleans(), st.integers(1, 100)
)
def test_bytes_come_out_as_they_went_in_one_gzip_member_or_several(
    members: list[bytes],
    packed: bool,  # noqa: FBT001 - hypothesis passes it by name
    size: int,
) -> None:
    """Loggers and `cat a.gz b.gz` make files of several members (RFC 1952)."""
    whole = b"".join(members)
    if not packed and whole.startswith(b"\x1f\x8b"):
        return
    stored = b"".join(map(gzip.compress, members)) if packed else whole
    assert PlainReader(BytesIO(stored), 10**9).read_all(10**9) == whole
    reader = PlainReader(BytesIO(stored), 10**9)
    pieces = list(iter(lambda: reader.read(size), b""))
    assert b"".join(pieces) == whole
    assert all(len(piece) <= size for piece in pieces)


@pytest.mark.parametrize("size", [-1, 100])
def test_gzip_that_was_cut_off_is_refused_wherever_the_cut_is(size: int) -> None:
    packed = gzip.compress(TEXT)
    for end in range(2, len(packed)):
        assert refusal(packed[:end], size=size) is ErrorCode.ENCODING_INVALID


@pytest.mark.parametrize("size", [-1, 100])
def test_broken_gzip_is_refused(size: int) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 1  # its checksum
    assert refusal(bytes(packed), size=size) is ErrorCode.ENCODING_INVALID
    assert refusal(gzip.compress(TEXT) + b"more", size=size) is ErrorCode.ENCODING_INVALID
    assert refusal(b"\x1f\x8b" + TEXT, size=size) is ErrorCode.ENCODING_INVALID


@pytest.mark.parametrize("stored", [TEXT, gzip.compress(TEXT)], ids=["plain", "packed"])
@pytest.mark.parametrize("size", [-1, 1, 7, 1000])
def test_the_limit_is_exact(stored: bytes, size: int) -> None:
    reader = PlainReader(BytesIO(stored), len(TEXT))
    assert read(reader, size) == TEXT
    assert refusal(stored, len(TEXT) - 1, size) is ErrorCode.OBJECT_TOO_LARGE


@pytest.mark.parametrize("size", [-1, 1000])
def test_a_bomb_is_refused_before_it_unfolds(size: int) -> None:
    bomb = gzip.compress(bytes(50 << 20))
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        assert refusal(bomb, 1 << 20, size) is ErrorCode.OBJECT_TOO_LARGE
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_small_document_takes_little_memory_however_large_the_limit() -> None:
    tracemalloc.start()
    try:
        assert PlainReader(BytesIO(gzip.compress(TEXT)), 4 << 30).read_all(64 << 20) == TEXT
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("size", [0, 1, len(TEXT) - 1])
def test_what_is_too_much_for_memory_is_told_from_what_is_too_large(size: int) -> None:
    assert PlainReader(BytesIO(gzip.compress(TEXT)), 10**9).read_all(size) is None
    assert PlainReader(BytesIO(gzip.compress(TEXT)), 10**9).read_all(len(TEXT)) == TEXT


def test_a_bomb_in_memory_is_not_unfolded_there() -> None:
    bomb = gzip.compress(bytes(50 << 20))
    tracemalloc.start()
    try:
        assert PlainReader(BytesIO(bomb), 4 << 30).read_all(1 << 20) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize("data", [TEXT, gzip.compress(TEXT), b"", b"\x1f\x8bno gzip"])
@pytest.mark.parametrize("max_bytes", [len(TEXT) - 1, len(TEXT), 10**9])
@pytest.mark.parametrize("memory_bytes", [len(TEXT) - 1, len(TEXT), 10**9])
def test_a_document_in_memory_is_read_as_a_file_of_it_would_be(
    data: bytes, max_bytes: int, memory_bytes: int
) -> None:
    """Whatever the limits."""

    def outcome(read: Callable[[], bytes | None]) -> object:
        try:
            return read()
        except Permanent as error:
            return error.code

    reader = PlainReader(BytesIO(data), max_bytes)
    expected = outcome(lambda: reader.read_all(memory_bytes))
    assert expected == outcome(lambda: read_whole(data, max_bytes, memory_bytes))
