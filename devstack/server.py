"""One local server as a child process: started, watched until ready, explained when it fails.

Knows nothing about which server it is; `postgres`, `localstack` and `api` say how to start
theirs and how to tell that it is ready.
"""

import contextlib
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack.launch import announced_server, signal_program

_LOG_LINES_SHOWN = 20


class ServerFailedError(RuntimeError):
    """A server did not come up; the message names it, says why and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """How to start one server and how to tell that it is ready.

    `is_ready` answers False while it has to be asked again and raises `ServerFailedError` when
    asking again cannot help. `port` is None when the server listens on a Unix socket. Nothing of
    a server is to be kept, so SIGKILL stops it unless it would leave something behind.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool]
    port: int | None = None
    stop_signal: signal.Signals = signal.SIGKILL
    user_id: int | None = None
    group_id: int | None = None


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A started server and its log file."""

    spec: ServerSpec
    process: subprocess.Popen[bytes]
    log: Path = field(repr=False)

    def has_ended(self) -> bool:
        """Say whether the process is gone."""
        return self.process.poll() is not None

    def listens(self) -> bool:
        """Say whether this very process listens on its port; True when it has none.

        An answer from the port proves nothing: it may come from somebody else's server.
        """
        if self.spec.port is None:
            return True
        # The image serves the simulated API with this command and has no psutil.
        import psutil  # noqa: PLC0415 - only who starts servers needs it

        try:
            connections = psutil.Process(self.process.pid).net_connections("tcp")
        except psutil.NoSuchProcess:
            return False
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == self.spec.port
            for connection in connections
        )

    def port_is_taken(self) -> bool:
        """Say whether somebody else listens on this server's port, so that it never will."""
        if self.spec.port is None or is_free(self.spec.port):
            return False
        # Asked in this order: it may have begun to listen just before.
        return not self.listens()

    def stop(self) -> None:
        """Ask the process to end, in the way its spec says, without waiting."""
        signal_program(self.process.pid, self.spec.stop_signal)
        # One that somebody has paused (SIGSTOP) would not notice.
        signal_program(self.process.pid, signal.SIGCONT)

    def wait_stopped(self, seconds: float) -> None:
        """Wait until the process is gone; kill what is left of its group after `seconds`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        signal_program(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def failure(self, reason: str) -> ServerFailedError:
        """Build the error that explains this server's failure to a person."""
        tail = "\n".join(f"    {line}" for line in last_lines(self.log))
        return ServerFailedError(f"{self.spec.name} {reason}; the end of its log:\n{tail}")

    def exit_reason(self) -> str:
        """Say how the ended process went."""
        code = self.process.poll()
        if code is not None and code < 0:
            return f"was ended by signal {-code}"
        return f"exited with code {code}"


def start(spec: ServerSpec, log: Path, watch_pipe: int) -> RunningServer:
    """Start the server in a session of its own; it announces itself on `watch_pipe` first.

    Raises:
        OSError: the process could not be created.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            announced_server(spec.command),
            env=dict(spec.environment),
            stdin=watch_pipe,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            start_new_session=True,
            user=spec.user_id,
            group=spec.group_id,
            extra_groups=None if spec.group_id is None else [],
        )
    return RunningServer(spec, process, log)


def last_lines(path: Path, count: int = _LOG_LINES_SHOWN) -> list[str]:
    """Return the last lines of a text file; a note when there are none."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        return [f"(no log: {error.strerror})"]
    return lines[-count:] or ["(it wrote nothing)"]


def free_port() -> int:
    """Return a port of 127.0.0.1 that the system says is free right now; it may not stay so."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Say whether nothing listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
