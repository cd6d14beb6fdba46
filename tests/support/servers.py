"""A PostgreSQL that belongs to one test alone, so that it may be stopped and started again."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import psycopg
from psycopg import sql

from devstack import postgres
from devstack.launch import janitor_command
from devstack.server import RunningServer, start
from devstack.stack import temporary_root
from tests.support.databases import conninfo

IMMEDIATE, FAST = signal.SIGQUIT, signal.SIGINT
_DEADLINE_SECONDS = 30.0


class OwnPostgres:
    """One server. Stopping is real: sessions break, and whoever comes meanwhile is refused."""

    def __init__(self, directory: Path, watch_pipe: int) -> None:
        spec = postgres.prepare(directory / "pg", watch_pipe)
        # The devstack's servers answer before a commit is written, which a shutdown would show.
        self._spec = replace(spec, command=[*spec.command, "--synchronous_commit=on"])
        self._log = directory / "postgres.log"
        self._watch_pipe = watch_pipe
        self._running: RunningServer | None = None
        self.environment: Mapping[str, str] = postgres.environment(directory / "pg")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._running = start(self._spec, self._log, self._watch_pipe)
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not self._spec.is_ready():
            if self._running.has_ended() or time.monotonic() > deadline:
                raise self._running.failure("did not come up again")
            time.sleep(0.05)

    def stop(self, how: signal.Signals) -> None:
        """Stop the server and wait until it is gone: `IMMEDIATE` is as a crash, `FAST` is orderly."""
        assert self._running is not None
        self._running.process.send_signal(how)
        self._running.process.wait(_DEADLINE_SECONDS)
        self._running = None

    def new_database(self) -> dict[str, str]:
        """Create an empty database and give its DB_* variables; it goes with the server."""
        name = f"test_{token_hex(6)}"
        with psycopg.connect(**conninfo(self.environment), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return {**self.environment, "DB_NAME": name}

    def close(self) -> None:
        """Stop for good."""
        if self._running is not None:
            self.stop(IMMEDIATE)


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """Run a server while the block runs; it goes too when this process is killed."""
    directory = temporary_root() / f"coco-{token_hex(6)}"
    directory.mkdir(mode=0o711)
    with subprocess.Popen(
        janitor_command(directory), stdin=subprocess.PIPE, start_new_session=True, cwd="/"
    ) as janitor:
        assert janitor.stdin is not None
        server = OwnPostgres(directory, janitor.stdin.fileno())
        try:
            server.start()
            yield server
        finally:
            server.close()
            shutil.rmtree(directory, ignore_errors=True)
            janitor.stdin.write(b"done\n")
            janitor.stdin.close()
