"""The memory that processes hold."""

import resource
from pathlib import Path

_KILOBYTES_PER_MEGABYTE = 1000


def peak_megabytes() -> float:
    """Return this process's own peak; ru_maxrss counts what its parent held at the fork, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTES_PER_MEGABYTE
    told = status.read_text(encoding="utf-8").partition("VmHWM:")[2]
    return int(told.split()[0]) / _KILOBYTES_PER_MEGABYTE


def anonymous_megabytes(process_id: int) -> float:
    """Return what a process holds of its own, without files and what it shares; Linux only."""
    text = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return int(text.partition("RssAnon:")[2].split()[0]) / _KILOBYTES_PER_MEGABYTE
