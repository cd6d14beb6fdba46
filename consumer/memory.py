"""How much memory this process may use, and documents of it; when garbage is collected."""

import gc
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_MEBIBYTE = 2**20
# Measured: the process with its libraries and sessions takes 120 MiB, parsing the largest document
# that is read at once another 60; what is held of a document takes about three times its size.
_BASE_BYTES, _PER_BYTE = 160 * _MEBIBYTE, 3
_LEAST_BUDGET_BYTES, _MOST_BUDGET_BYTES = 32 * _MEBIBYTE, 256 * _MEBIBYTE
_UNLIMITED_BYTES = 2**60  # what version 1 says when there is no limit is a little less than 2^63

# Parsed documents hold no reference cycles. The collector, which by default looks at every 700 new
# objects, would take a quarter of the time that preparing a document takes.
_OBJECTS_PER_COLLECTION = 50_000
_YOUNG_PER_MIDDLE, _MIDDLE_PER_FULL = 20, 100


def collect_garbage_seldom() -> None:
    """Let the garbage collector run seldom; call once, when all modules are loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION, _YOUNG_PER_MIDDLE, _MIDDLE_PER_FULL)


def memory_limit_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory limit of the control groups that this process is in; None without one.

    Both versions (Linux manual, cgroups(7)). A group's limit holds for the groups inside of it.
    """
    limits = [limit for path in _limit_files(root) if (limit := _read(path)) is not None]
    return min((limit for limit in limits if limit < _UNLIMITED_BYTES), default=None)


def default_budget_bytes(limit_bytes: int | None) -> int:
    """Return the byte budget that fits a memory limit; at least the largest document fits in."""
    if limit_bytes is None:
        return _MOST_BUDGET_BYTES
    fitting = (limit_bytes - _BASE_BYTES) // _PER_BYTE // _MEBIBYTE * _MEBIBYTE
    return max(_LEAST_BUDGET_BYTES, min(_MOST_BUDGET_BYTES, fitting))


def needed_bytes(budget_bytes: int) -> int:
    """Return how much memory a consumer with that byte budget may come to need."""
    return _BASE_BYTES + _PER_BYTE * budget_bytes


def _limit_files(root: Path) -> Iterator[Path]:
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            mount, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # The path may be the host's, of which a container sees its own group only, as the root.
        group = PurePosixPath(path)
        for outer in (group, *group.parents):
            yield mount / str(outer).lstrip("/") / name


def _read(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None  # not there, or `max`
