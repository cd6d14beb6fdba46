"""A consumer under systemd, on ECS, watched by CloudWatch: each is told how it is, in time."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from consumer.load.migrations.migrate import migrate
from tests.conftest import Lake
from tests.support.consuming import CHECK, export, put
from tests.support.databases import conninfo
from tests.support.ecs_agent import running_agent
from tests.support.programs import DEADLINE_SECONDS
from tests.support.warehouse import database_settings


@asynccontextmanager
async def running(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "consumer", "run", env=environment, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(condition: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.05)
    assert condition(), what


class Manager:
    """What systemd's end of the socket was told."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))
        self._told: list[str] = []

    def told(self) -> list[str]:
        """Return all facts so far; called often, as the socket keeps ten of them only."""
        try:
            while True:
                self._told += self._socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            return self._told

    def close(self) -> None:
        self._socket.close()


async def test_systemd_and_ecs_are_told_how_a_consumer_is(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """The task is protected while a load takes long, here behind a lock, and no longer."""
    await asyncio.to_thread(migrate, database_settings(environment))
    put(lake, "raw/erp/slow.json", export(CHECK))
    manager = Manager(tmp_path / "notify")
    async with running_agent() as agent:
        supervised = environment | {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "1000000",
            "ECS_AGENT_URI": agent.uri,
            "SHUTDOWN_TIMEOUT_SECONDS": "2",
            "RECEIVE_WAIT_SECONDS": "1",
            "METRICS_EMF_SECONDS": "1",
        }
        with psycopg.connect(**conninfo(environment)) as lock:
            lock.execute("LOCK TABLE guest_checks IN SHARE MODE")
            async with running(supervised) as process:
                await until(lambda: "READY=1" in manager.told(), "ready")
                await until(lambda: bool(manager.told()) and len(agent.asked) == 1, "protected")
                assert agent.asked[0][1]["ProtectionEnabled"]
                lock.rollback()
                await until(lambda: bool(manager.told()) and len(agent.asked) == 2, "released")
                assert not agent.asked[1][1]["ProtectionEnabled"]
                process.send_signal(signal.SIGTERM)
                written, _ = await asyncio.wait_for(process.communicate(), DEADLINE_SECONDS)
                assert 0 == process.returncode
    told = manager.told()
    manager.close()
    lines = [json.loads(line) for line in written.splitlines()]
    assert 1 == sum(line["ObjectsLoaded"] for line in lines)
    assert {"consumer"} == {line["Service"] for line in lines}
    assert told.index("READY=1") < told.index("WATCHDOG=1") < told.index("STOPPING=1")
