"""The three servers of a stack, started together, polled until each is ready, stopped together."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from devstack import api, localstack, postgres
from devstack.environment import command_environment
from devstack.server import RunningServer, ServerFailedError, ServerSpec, free_port, start

START_TIMEOUT_SECONDS = 90.0
_STOP_SECONDS = 3.0
_PORT_ATTEMPTS = 3


class Servers:
    """Owns the server processes under one directory; single-threaded, driven by polling."""

    def __init__(self, directory: Path, watch_pipe: int, *, with_api: bool = True) -> None:
        self._directory = directory
        self._watch_pipe = watch_pipe
        self._prepare: dict[str, Callable[[int], ServerSpec]] = {
            "localstack": lambda port: localstack.prepare(directory / "localstack", port)
        }
        if with_api:
            base = command_environment(os.environ, {})
            self._prepare["api"] = lambda port: api.prepare(base, port)
        self._prepare["postgres"] = lambda port: postgres.prepare(
            directory / "pg", watch_pipe, port
        )
        self._running: dict[str, RunningServer] = {}
        self._attempts: dict[str, int] = {}
        self._waiting: list[str] = []
        self._reported_ended: set[str] = set()
        self._started_at = 0.0

    @property
    def all_ready(self) -> bool:
        """Whether every server has been ready once."""
        return not self._waiting

    @property
    def processes(self) -> dict[str, int]:
        """The servers' process ids by name."""
        return {name: server.process.pid for name, server in self._running.items()}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a program to these servers."""
        ports = {name: server.spec.port for name, server in self._running.items()}
        variables = localstack.environment(ports["localstack"] or 0)
        if "api" in ports:
            variables |= api.environment(ports["api"] or 0)
        return variables | postgres.environment(self._directory / "pg", ports["postgres"])

    def start(self) -> None:
        """Start all servers without waiting for them, the slowest first.

        Raises:
            ServerFailedError: one cannot be started at all.
        """
        self._started_at = time.monotonic()
        for name in self._prepare:
            self._start_on_free_port(name)
        self._waiting = list(self._running)

    def newly_ready(self) -> Iterator[tuple[str, float]]:
        """Ask the servers that were not ready yet; yield each new one with its start time in s.

        Raises:
            ServerFailedError: one ended, failed or took longer than `START_TIMEOUT_SECONDS`.
        """
        elapsed = time.monotonic() - self._started_at
        for name in list(self._waiting):
            server = self._running[name]
            if server.port_is_taken():
                self._start_elsewhere(name, server)
            elif server.has_ended():
                raise server.failure(server.exit_reason())
            elif server.listens() and _is_ready(server):
                self._waiting.remove(name)
                yield name, elapsed
            elif elapsed > START_TIMEOUT_SECONDS:
                raise server.failure(f"was not ready after {START_TIMEOUT_SECONDS:.0f} s")

    def newly_ended(self) -> Iterator[ServerFailedError]:
        """Yield, once for each, the servers that have ended though nobody stopped them."""
        for name, server in self._running.items():
            if name not in self._reported_ended and server.has_ended():
                self._reported_ended.add(name)
                yield server.failure(server.exit_reason())

    def stop(self) -> None:
        """Stop all servers and wait until they are gone."""
        for server in self._running.values():
            server.stop()
        deadline = time.monotonic() + _STOP_SECONDS
        for server in self._running.values():
            server.wait_stopped(max(0.0, deadline - time.monotonic()))

    def _start_elsewhere(self, name: str, server: RunningServer) -> None:
        # LocalStack stays alive without its port; the API has ended by itself.
        server.stop()
        server.wait_stopped(_STOP_SECONDS)
        if self._attempts[name] >= _PORT_ATTEMPTS:
            raise server.failure(f"found its port taken {_PORT_ATTEMPTS} times")
        self._start_on_free_port(name)

    def _start_on_free_port(self, name: str) -> None:
        self._attempts[name] = self._attempts.get(name, 0) + 1
        self._launch(self._prepare[name](free_port()))

    def _launch(self, spec: ServerSpec) -> None:
        log = self._directory / f"{spec.name}.log"
        self._running[spec.name] = start(spec, log, self._watch_pipe)


def _is_ready(server: RunningServer) -> bool:
    try:
        return server.spec.is_ready()
    except ServerFailedError as error:
        raise server.failure(str(error)) from error
