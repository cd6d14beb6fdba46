"""A running stack as its owner sees it: started, described by an environment, stopped.

The servers belong to a keeper process (`devstack.keeper`); this module starts the keeper, reads its
reports and holds the one write end of its pipe.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from devstack.postgres import may_be_walked
from devstack.server import ServerFailedError

_STOP_SECONDS = 30.0
_LONGEST_TEMPORARY_PATH = 60


@dataclass(frozen=True, slots=True)
class Stack:
    """Three running servers.

    Attributes:
        environment: The variables that lead a program to the servers.
        processes: The servers' process ids by name (`postgres`, `localstack`, `api`), for tests
            that stop one.
        directory: Where the servers keep data and logs; removed when the stack stops.
    """

    environment: Mapping[str, str]
    processes: Mapping[str, int]
    directory: Path
    keeper: subprocess.Popen[str] = field(repr=False)

    @property
    def watch_pipe(self) -> int:
        """The descriptor on which programs announce themselves to the keeper."""
        return _pipe(self.keeper.stdin).fileno()

    def detach(self) -> None:
        """Let the stack outlive this process; from now on SIGTERM to the keeper stops it."""
        pipe = _pipe(self.keeper.stdin)
        pipe.write("detach\n")
        pipe.close()


@contextmanager
def running_stack(
    on_ready: Callable[[str, float], None] | None = None, *, with_api: bool = True
) -> Iterator[Stack]:
    """Start PostgreSQL, LocalStack and the simulated API, empty; stop them at the end.

    Blocks about six seconds. When this process dies, the servers go too.

    Args:
        on_ready: Called with a server's name and its start time in seconds as each gets ready.
        with_api: False leaves the simulated API out.

    Raises:
        ServerFailedError: a server did not come up.
    """
    keeper, directory = start_keeper(with_api=with_api)
    try:
        yield wait_until_up(keeper, directory, on_ready)
    finally:
        stop_keeper(keeper)


def start_keeper(
    *, with_api: bool = True, stderr: IO[str] | None = None, pass_fds: tuple[int, ...] = ()
) -> tuple[subprocess.Popen[str], Path]:
    """Start a keeper; the caller must see to `stop_keeper`, or just end.

    Returns:
        The process and the directory it will create.
    """
    directory = temporary_root() / f"coco-{secrets.token_hex(6)}"
    options = [] if with_api else ["--without-api"]
    keeper = subprocess.Popen(
        [sys.executable, "-m", "devstack.keeper", str(directory), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        pass_fds=pass_fds,
        start_new_session=True,
        text=True,
    )
    return keeper, directory


def wait_until_up(
    keeper: subprocess.Popen[str],
    directory: Path,
    on_ready: Callable[[str, float], None] | None = None,
) -> Stack:
    """Read the keeper's reports until all servers are ready.

    Raises:
        ServerFailedError: a server did not come up, or the keeper itself ended.
    """
    for line in _pipe(keeper.stdout):
        report: dict[str, Any] = json.loads(line)
        match report["event"]:
            case "ready":
                if on_ready is not None:
                    on_ready(report["server"], report["seconds"])
            case "failed":
                raise ServerFailedError(report["message"])
            case "up":
                return Stack(report["environment"], report["processes"], directory, keeper)
    raise ServerFailedError(f"the keeper of the servers ended with code {keeper.wait()}")


def stop_keeper(keeper: subprocess.Popen[str]) -> None:
    """Close the pipe and wait until the keeper has stopped its servers."""
    for stream in (keeper.stdin, keeper.stdout):
        if stream is not None:
            stream.close()
    try:
        keeper.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Its janitor takes over.
        keeper.send_signal(signal.SIGKILL)
        keeper.wait()


def temporary_root() -> Path:
    """Return the directory for temporary files, or /tmp where servers could not use that one.

    Its path must be short enough for a socket below it; as root, the unprivileged user that
    PostgreSQL runs as must be able to walk through it.
    """
    standard = Path(tempfile.gettempdir()).resolve()
    is_short = len(os.fsencode(standard)) <= _LONGEST_TEMPORARY_PATH
    is_open = os.geteuid() != 0 or may_be_walked(standard)
    return standard if is_short and is_open else Path("/tmp")  # noqa: S108 - the keeper's directory there has a random name and is ours alone


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # noqa: S101 - the keeper is started with pipes
    return stream
