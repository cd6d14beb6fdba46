"""However devstack ends, it leaves no process, no port and no directory behind.

The real servers take part where it matters how they die. Elsewhere a stand-in for LocalStack, which
answers at once, saves five seconds a test.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from devstack.localstack import PYTHON_VARIABLE

DEVSTACK = str(Path(sys.executable).with_name("devstack"))
DEADLINE_SECONDS = 30.0

STAND_IN = f"""\
#!{sys.executable}
import http.server, os
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{{"completed": true, "scripts": [{{"name": "x", "state": "SUCCESSFUL"}}]}}'
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
host, port = os.environ["GATEWAY_LISTEN"].split(":")
http.server.HTTPServer((host, int(port)), Ready).serve_forever()
"""

# Exits with 40 and the number of interrupts it got.
COUNT_INTERRUPTS = """
import pathlib, signal, sys, time
count = 0
def note(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, note)
pathlib.Path("started").touch()
while not count:
    time.sleep(0.02)
time.sleep(0.3)
sys.exit(40 + count)
"""

_started: list[subprocess.Popen[Any]] = []


@pytest.fixture
def workspace() -> Iterator[Path]:
    """Give a directory that is TMPDIR and working directory of the devstack under test.

    Short, because a socket lies below it; open, because PostgreSQL may run as another user.
    """
    path = Path(tempfile.mkdtemp(prefix="life-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    for process in processes_of(path):
        process.kill()
    while _started:
        running = _started.pop()
        running.kill()
        with running:
            pass
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def stand_in(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the stand-in in LocalStack's place."""
    script = workspace / "stand-in"
    script.write_text(STAND_IN)
    script.chmod(0o755)
    monkeypatch.setenv(PYTHON_VARIABLE, str(script))
    return script


def processes_of(workspace: Path) -> list[psutil.Process]:
    """Return every process that names the workspace in its command line or environment."""
    found = []
    needle = str(workspace)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = [*process.cmdline(), *process.environ().values()]
            if any(needle in word for word in words):
                found.append(process)
    return found


def directories_of(workspace: Path) -> list[str]:
    return sorted(path.name for path in workspace.glob("coco-*"))


def leftovers(workspace: Path) -> list[object]:
    return [*processes_of(workspace), *directories_of(workspace)]


def poll(question: Callable[[], bool], what: str) -> None:
    """Ask until the answer is yes; fail after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not question():
        assert time.monotonic() < deadline, f"waited {DEADLINE_SECONDS} s for: {what}"
        time.sleep(0.05)


def assert_nothing_is_left(workspace: Path) -> None:
    poll(lambda: not leftovers(workspace), f"nothing of {workspace} left")
    assert leftovers(workspace) == []


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start devstack in a process group of its own, as a shell would."""
    process = subprocess.Popen(
        [DEVSTACK, *arguments],
        env={**os.environ, "TMPDIR": str(workspace)},
        cwd=workspace,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
        text=True,
    )
    _started.append(process)
    return process


def start_a_waiting_command(workspace: Path) -> subprocess.Popen[str]:
    """Start `devstack run` with a command that marks its start and then waits."""
    running = start(workspace, "run", "--", "sh", "-c", "touch started; exec sleep 600")
    poll((workspace / "started").exists, "the command to run")
    return running


def keeper_of(workspace: Path) -> psutil.Process:
    [keeper] = [
        process for process in processes_of(workspace) if "devstack.keeper" in process.cmdline()
    ]
    return keeper


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
    _started.append(running)
    assert running.stdin is not None
    poll((workspace / "started").exists, "the command to run")
    running.stdin.write(b"\x03")
    running.stdin.flush()
    poll(lambda: running.poll() is not None, "devstack to end")
    running.communicate()
    assert running.returncode == 41
    assert leftovers(workspace) == []


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
