"""Processes in a control group of their own, with a real limit of their memory."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# The root of the memory controller and the file of a group's limit: both versions (cgroups(7))
_CONTROLLERS = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)


@contextmanager
def memory_limited_to(limit_bytes: int) -> Iterator[Path]:
    """Make a group with a limit; a process whose id is written to the file given is in it.

    Raises:
        OSError: this process may not make groups, or the machine has none.
    """
    root, name = next((root, name) for root, name in _CONTROLLERS if root.exists())
    group = root / f"coco-{secrets.token_hex(4)}"
    group.mkdir()
    try:
        (group / name).write_text(str(limit_bytes))
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


@cache
def memory_can_be_limited() -> bool:
    """Say whether this process may limit the memory of others."""
    try:
        with memory_limited_to(2**28):
            return True
    except (OSError, StopIteration):
        return False
