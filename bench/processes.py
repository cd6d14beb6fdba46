"""Memory of processes, as Linux tells it."""

import resource
from pathlib import Path

_KILOBYTES_PER_MEGABYTE = 1000


def peak_megabytes() -> float:
    """Return the most that this process alone held; ru_maxrss counts what its parent did, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTES_PER_MEGABYTE
    return _told(status, "VmHWM:")


def anonymous_megabytes(process_id: int) -> float:
    """Return what a process holds of its own, without files and what it shares."""
    return _told(Path(f"/proc/{process_id}/status"), "RssAnon:")


def _told(status: Path, name: str) -> float:
    text = status.read_text(encoding="utf-8")
    return int(text.partition(name)[2].split()[0]) / _KILOBYTES_PER_MEGABYTE
