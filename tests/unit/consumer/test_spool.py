"""Bytes kept in memory while few and in a temporary file beyond."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.spool import Spool


def open_files() -> int:
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_what_was_appended_is_read_again_and_again(pieces: list[bytes], memory_bytes: int) -> None:
    spool = Spool(memory_bytes)
    for number, piece in enumerate(pieces):
        spool.append(piece)
        # A reader in between does not move the place where the next piece goes.
        spool.rewound().read(number)
    whole = b"".join(pieces)
    assert b"".join(spool.chunks()) == whole
    assert b"".join(spool.chunks()) == whole
    assert spool.rewound().read() == whole
    assert spool.byte_count == len(whole)


def test_chunks_are_a_mebibyte_at_most() -> None:
    spool = Spool(1000)
    spool.append(b"x" * (3 << 20) + b"y")
    assert [len(chunk) for chunk in spool.chunks()] == [1 << 20, 1 << 20, 1 << 20, 1]


@pytest.mark.skipif(not Path("/proc").exists(), reason="open files are counted in /proc")
def test_a_temporary_file_is_made_only_for_many_bytes_and_is_gone_with_its_spool() -> None:
    gc.collect()
    before = open_files()
    spool = Spool(100)
    spool.append(b"x" * 100)
    assert open_files() == before
    spool.append(b"x")
    assert open_files() == before + 1
    del spool
    gc.collect()
    assert open_files() == before
