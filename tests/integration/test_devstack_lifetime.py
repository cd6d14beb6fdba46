"""However devstack ends, it leaves no process, no port and no directory behind."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.support.lifetimes import (
    DEADLINE_SECONDS,
    assert_nothing_is_left,
    directories_of,
    keeper_of,
    leftovers,
    poll,
    processes_of,
    start,
    start_a_waiting_command,
)


def test_killing_devstack_with_sigkill_leaves_nothing_of_the_real_servers(workspace: Path) -> None:
    """The keeper sees its pipe end and takes the servers and the command down."""
    running = start_a_waiting_command(workspace)
    names = {process.name() for process in processes_of(workspace)}
    assert {"postgres", "sleep"} <= names
    running.kill()
    running.communicate()
    assert_nothing_is_left(workspace)


def test_killing_the_keeper_with_sigkill_leaves_nothing_of_the_real_servers(
    workspace: Path,
) -> None:
    """Its janitor takes the servers and the directory; the command ends with devstack."""
    running = start_a_waiting_command(workspace)
    keeper_of(workspace).kill()
    poll(lambda: not directories_of(workspace), "the janitor to remove the directory")
    running.terminate()
    running.communicate(timeout=DEADLINE_SECONDS)
    assert_nothing_is_left(workspace)


def test_killing_everything_named_devstack_leaves_nothing(workspace: Path, stand_in: Path) -> None:
    """As `pkill -9 -f devstack` would: owner, keeper and API at once, before they can react."""
    running = start_a_waiting_command(workspace)
    named = [p for p in processes_of(workspace) if "devstack" in " ".join(p.cmdline())]
    assert len(named) >= 3
    for process in named:
        process.kill()
    running.communicate()
    assert_nothing_is_left(workspace)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_signal_while_the_servers_start_leaves_nothing(
    workspace: Path, number: signal.Signals, code: int
) -> None:
    """The directory appears first, then the servers: the signal comes right between."""
    running = start(workspace, "run", "--", "true")
    poll(lambda: bool(directories_of(workspace)), "the servers to be under way")
    os.killpg(running.pid, number)
    running.communicate(timeout=DEADLINE_SECONDS)
    assert running.returncode == code
    assert_nothing_is_left(workspace)


def test_up_status_and_down(workspace: Path, stand_in: Path) -> None:
    """`up` outlives its process and starts once; `down` leaves nothing, not even `.devstack`."""

    def devstack(*arguments: str) -> tuple[int | None, str]:
        process = start(workspace, *arguments)
        output, _ = process.communicate(timeout=DEADLINE_SECONDS)
        return process.returncode, output

    assert devstack("status")[0] == 1
    code, exports = devstack("up")
    assert code == 0
    assert "export QUEUE_URL=" in exports
    port = int(exports.partition("AWS_ENDPOINT_URL=http://127.0.0.1:")[2].partition("\n")[0])
    assert devstack("up") == (0, exports)
    assert devstack("status")[0] == 0
    with socket.create_connection(("127.0.0.1", port)):
        pass
    assert devstack("down")[0] == 0
    assert leftovers(workspace) == []
    assert not (workspace / ".devstack").exists()
    assert devstack("status")[0] == 1
