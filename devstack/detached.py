"""The stack that `devstack up` leaves running, remembered in `.devstack/` of a directory.

The keeper holds a lock on `.devstack/lock` as long as it lives, so whether a stack runs never
depends on a process id that another program may have by now.
"""

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from devstack.server import ServerFailedError
from devstack.stack import Stack, start_keeper, stop_keeper, wait_until_up

_DOWN_SECONDS = 30.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Detached:
    """A running detached stack; `was_running` says that this call did not start it."""

    environment: dict[str, str]
    was_running: bool


def up(workspace: Path, on_ready: Callable[[str, float], None]) -> Detached:
    """Start a stack that outlives this process, unless one runs here already.

    Raises:
        ServerFailedError: a server did not come up, or another `up` is under way.
    """
    state_directory = workspace / ".devstack"
    state_directory.mkdir(exist_ok=True)
    with (state_directory / "lock").open("a") as lock:
        if not _try_lock(lock):
            return Detached(_read_state(state_directory)["environment"], was_running=True)
        with (state_directory / "keeper.log").open("w") as log:
            keeper, directory = start_keeper(stderr=log, pass_fds=(lock.fileno(),))
        try:
            stack = wait_until_up(keeper, directory, on_ready)
            _write_state(state_directory, stack)
            stack.detach()
        except BaseException:
            stop_keeper(keeper)
            shutil.rmtree(state_directory, ignore_errors=True)
            raise
    return Detached(dict(stack.environment), was_running=False)


def down(workspace: Path) -> bool:
    """Stop the stack of `workspace` and wait until it is gone; say whether there was one.

    Raises:
        ServerFailedError: it did not stop in time, or is still starting.
    """
    state_directory = workspace / ".devstack"
    with _lock_file(state_directory) as lock:
        if lock is None:
            return False
        was_running = not _try_lock(lock)
        if was_running:
            os.kill(_read_state(state_directory)["keeper"], signal.SIGTERM)
            _await_lock(lock)
        shutil.rmtree(state_directory, ignore_errors=True)
    return was_running


def status(workspace: Path) -> dict[str, Any]:
    """Return what runs in `workspace`: `running`, and if so the rest of the state."""
    state_directory = workspace / ".devstack"
    with _lock_file(state_directory) as lock:
        if lock is None or _try_lock(lock):
            return {"running": False}
    state = _read_state(state_directory)
    servers = {
        name: {"process": process, "alive": _is_alive(process)}
        for name, process in state.pop("processes").items()
    }
    return {"running": True, **state, "servers": servers}


@contextmanager
def _lock_file(state_directory: Path) -> Iterator[IO[str] | None]:
    try:
        lock = (state_directory / "lock").open()
    except FileNotFoundError:
        yield None
        return
    with lock:
        yield lock


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _await_lock(lock: IO[str]) -> None:
    deadline = time.monotonic() + _DOWN_SECONDS
    while not _try_lock(lock):
        if time.monotonic() > deadline:
            raise ServerFailedError(f"the stack did not stop within {_DOWN_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _write_state(state_directory: Path, stack: Stack) -> None:
    state = {
        "keeper": stack.keeper.pid,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "directory": str(stack.directory),
        "environment": dict(stack.environment),
        "processes": dict(stack.processes),
    }
    # Readers see all of it or nothing.
    draft = state_directory / "state.json.new"
    draft.touch(mode=0o600)  # it has a password
    draft.write_text(json.dumps(state, indent=2))
    draft.replace(state_directory / "state.json")


def _read_state(state_directory: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((state_directory / "state.json").read_text())
    except FileNotFoundError:
        raise ServerFailedError("another `devstack up` is still starting here") from None
    return state


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
