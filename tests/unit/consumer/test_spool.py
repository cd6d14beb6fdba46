"""Bytes kept in memory while few and in a temporary file beyond."""

import gc
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.errors import LocalDisk
from consumer.spool import Spool, check_temporary_files


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


@contextmanager
def files_of_at_most(count: int) -> Iterator[None]:
    """Let no file grow larger, as on a full disk: the system then refuses to write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_a_fault_of_ours_that_says_what_to_do() -> None:
    spool = Spool(100)
    spool.append(bytes(4000))
    with files_of_at_most(4096), pytest.raises(LocalDisk, match="File too large; give it room for"):
        spool.append(bytes(1000))
    del spool  # closes the file, which tries to write the rest: that must not raise


def test_a_full_disk_is_noticed_before_the_bytes_are_read() -> None:
    """The last few kilobytes would otherwise wait in a buffer until then."""
    spool = Spool(1)
    with files_of_at_most(100), pytest.raises(LocalDisk) as full:
        spool.append(bytes(200))
    assert full.value.is_about_object


@pytest.mark.parametrize("is_there", [False, True])
def test_a_temporary_directory_that_is_missing_or_no_directory_is_a_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    place = tmp_path / "away"
    if is_there:
        place.write_text("a file")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with pytest.raises(LocalDisk, match=f"^{place} cannot hold temporary files: "):
        check_temporary_files()
    small = Spool(1000)
    small.append(bytes(1000))
    assert small.rewound().read() == bytes(1000)


def test_when_no_directory_is_usable_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    with pytest.raises(LocalDisk, match="no directory is usable"):
        check_temporary_files()
