"""Tells systemd how the program is, if a unit of `Type=notify` started it; else does nothing.

A datagram to the socket that the environment names: see sd_notify(3), sd_watchdog_enabled(3).
"""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress

READY, STOPPING = "READY=1", "STOPPING=1"
_ALIVE = "WATCHDOG=1"


def notify(*facts: str) -> None:
    """Send facts such as `READY=1`; nobody learns if they could not be sent. Does not block."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    # Of other kinds are only those of virtual machines and containers that boot a system.
    if not address.startswith(("/", "@")):
        return
    # A socket that has no file has a name that begins with a zero byte instead.
    place = f"\0{address[1:]}" if address.startswith("@") else address
    lines = (" ".join(fact.split()) for fact in facts)
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.setblocking(False)
        sending.sendto("\n".join(lines).encode(), place)


def waiting(reason: str, seconds: int) -> None:
    """Say what the start waits for, and that it may take so many seconds more."""
    notify(f"STATUS={reason}", f"EXTEND_TIMEOUT_USEC={seconds * 1_000_000}")


async def keep_watchdog(is_well: Callable[[], bool]) -> None:
    """Say in time that the program lives, as long as it is well; run until cancelled."""
    pause_seconds = _watchdog_seconds() / 2
    while pause_seconds:
        if is_well():
            notify(_ALIVE)
        await asyncio.sleep(pause_seconds)


def _watchdog_seconds() -> float:
    """Return after how long a silence we are killed; 0 for never."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0
    try:
        return max(0, int(os.environ.get("WATCHDOG_USEC", "0"))) / 1_000_000
    except ValueError:
        return 0
