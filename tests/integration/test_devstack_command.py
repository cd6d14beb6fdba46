"""`devstack run`: the command beside the servers, its signals, and servers that do not come up."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lifetimes import (
    COUNT_INTERRUPTS,
    DEADLINE_SECONDS,
    DEVSTACK,
    STAND_IN,
    STARTED,
    leftovers,
    poll,
    start,
)


def test_ctrl_c_reaches_the_command_once_and_its_exit_code_is_kept(
    workspace: Path, stand_in: Path
) -> None:
    """SIGINT to devstack's process group: the command decides how it ends."""
    running = start(workspace, "run", "--", sys.executable, "-c", COUNT_INTERRUPTS)
    poll((workspace / "started").exists, "the command to run")
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=DEADLINE_SECONDS)
    assert running.returncode == 41
    assert leftovers(workspace) == []


def test_ctrl_c_on_a_terminal_reaches_the_command_once(workspace: Path, stand_in: Path) -> None:
    """There the command shares our process group; the key reaches both, we send nothing more."""
    in_terminal = (
        "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    )
    command = [DEVSTACK, "run", "--", sys.executable, "-c", COUNT_INTERRUPTS]
    running = subprocess.Popen(
        [sys.executable, "-c", in_terminal, *command],
        env={**os.environ, "TMPDIR": str(workspace)},
        cwd=workspace,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    STARTED.append(running)
    assert running.stdin is not None
    poll((workspace / "started").exists, "the command to run")
    running.stdin.write(b"\x03")
    running.stdin.flush()
    poll(lambda: running.poll() is not None, "devstack to end")
    running.communicate()
    assert running.returncode == 41
    assert leftovers(workspace) == []


@pytest.mark.parametrize("signal_name", ["TERM", "KILL"])
def test_a_signal_that_ends_the_command_becomes_128_plus_its_number(
    workspace: Path, stand_in: Path, signal_name: str
) -> None:
    running = start(workspace, "run", "--", "sh", "-c", f"kill -{signal_name} $$")
    running.communicate(timeout=DEADLINE_SECONDS)
    assert running.returncode == 128 + signal.Signals[f"SIG{signal_name}"]
    assert leftovers(workspace) == []


def test_the_command_reads_our_input_and_sees_clean_variables(
    workspace: Path, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile, session token or PGOPTIONS of the caller's would lead past the local servers."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    monkeypatch.setenv("MINE", "kept")
    result = subprocess.run(
        [DEVSTACK, "run", "--", "sh", "-c", "cat; command -v consumer; env"],
        input="through\n",
        env={**os.environ, "TMPDIR": str(workspace)},
        cwd=workspace,
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, *rest = result.stdout.splitlines()
    variables = dict(line.split("=", 1) for line in rest if "=" in line)
    assert first == "through"
    assert second == str(Path(DEVSTACK).with_name("consumer"))
    assert variables["MINE"] == "kept"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "PGOPTIONS"} & set(variables)
    assert variables["QUEUE_URL"].startswith(variables["AWS_ENDPOINT_URL"])


def test_a_server_that_ends_is_named_with_its_exit_code_and_the_end_of_its_log(
    workspace: Path, stand_in: Path
) -> None:
    """Only the last twenty lines are shown; devstack fails and leaves nothing."""
    stand_in.write_text("#!/bin/sh\nfor n in $(seq 100 130); do echo line $n; done\nexit 7\n")
    running = start(workspace, "run", "--", "true")
    _, said = running.communicate(timeout=DEADLINE_SECONDS)
    assert running.returncode == 1
    assert "localstack exited with code 7" in said
    assert "line 111" in said
    assert "line 110" not in said
    assert leftovers(workspace) == []


def test_a_failed_init_hook_is_an_error_though_localstack_itself_goes_on(
    workspace: Path, stand_in: Path
) -> None:
    """LocalStack reports a hook's failure and stays up; devstack does not."""
    stand_in.write_text(STAND_IN.replace("SUCCESSFUL", "ERROR"))
    running = start(workspace, "run", "--", "true")
    _, said = running.communicate(timeout=DEADLINE_SECONDS)
    assert running.returncode == 1
    assert "init hooks did not succeed: ['x']" in said
    assert leftovers(workspace) == []
