"""Processor time: what work costs, whatever else the machine does meanwhile."""

import os
import time
from pathlib import Path

_NANOSECONDS = 1_000_000_000


def own_seconds() -> float:
    """Return the seconds of processor time that this process has used, all its threads."""
    return time.process_time()


def process_seconds(process_id: int) -> float:
    """Return the seconds of processor time that another process has used so far.

    Linux tells them to the nanosecond for one thread, which is what a session of PostgreSQL is.
    """
    run = Path(f"/proc/{process_id}/schedstat").read_text(encoding="ascii").split()[0]
    return int(run) / _NANOSECONDS


def program_seconds(process_id: int) -> float:
    """Return the seconds that a process of many threads has used, to a hundredth."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system = fields[11:13]  # utime and stime (proc_pid_stat(5), counted after the name)
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
