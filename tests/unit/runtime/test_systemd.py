"""What systemd is told: by datagram, and only if it asked."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import systemd


@pytest.fixture(params=["file", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """A socket as systemd makes it, named in the environment."""
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name if request.param == "file" else f"\0{name}")
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", name if request.param == "file" else f"@{name}")
        yield listening


def told(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_facts_are_sent_as_lines(manager: socket.socket) -> None:
    systemd.notify(systemd.READY, "STATUS=two\nlines")
    assert ["READY=1", "STATUS=two lines"] == told(manager)
    systemd.waiting("the database is away", 60)
    assert ["STATUS=the database is away", "EXTEND_TIMEOUT_USEC=60000000"] == told(manager)


@pytest.mark.parametrize("address", [None, "", "vsock:2:1", "/no/such/socket", "relative"])
def test_nothing_happens_without_a_socket(
    address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd.notify(systemd.READY)


async def test_the_watchdog_is_fed_while_all_is_well(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_well = True
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    feeding = asyncio.create_task(systemd.keep_watchdog(lambda: is_well))
    await asyncio.sleep(0.05)
    assert ["WATCHDOG=1"] == told(manager) == told(manager)
    is_well = False
    await asyncio.sleep(0)
    while True:
        try:
            told(manager)
        except BlockingIOError:
            break
    await asyncio.sleep(0.02)
    with pytest.raises(BlockingIOError):
        told(manager)
    feeding.cancel()


@pytest.mark.parametrize(
    "variables", [{}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"}]
)
async def test_without_a_watchdog_nobody_is_fed(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    async with asyncio.timeout(5):
        await systemd.keep_watchdog(lambda: True)
