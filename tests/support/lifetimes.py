"""Starting devstack to see how it ends: it and everything it started, found by one directory.

The real servers take part where it matters how they die. Elsewhere a stand-in for LocalStack, which
answers at once, saves five seconds a test.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

DEVSTACK = str(Path(sys.executable).with_name("devstack"))
DEADLINE_SECONDS = 60.0

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

STARTED: list[subprocess.Popen[Any]] = []


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
    """Return the directories of servers in the workspace."""
    return sorted(path.name for path in workspace.glob("coco-*"))


def leftovers(workspace: Path) -> list[object]:
    """Return every process and directory that is still there."""
    return [*processes_of(workspace), *directories_of(workspace)]


def poll(question: Callable[[], bool], what: str) -> None:
    """Ask until the answer is yes; fail after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not question():
        assert time.monotonic() < deadline, f"waited {DEADLINE_SECONDS} s for: {what}"
        time.sleep(0.05)


def assert_nothing_is_left(workspace: Path) -> None:
    """Wait for the end of everything."""
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
    STARTED.append(process)
    return process


def start_a_waiting_command(workspace: Path) -> subprocess.Popen[str]:
    """Start `devstack run` with a command that marks its start and then waits."""
    running = start(workspace, "run", "--", "sh", "-c", "touch started; exec sleep 600")
    poll((workspace / "started").exists, "the command to run")
    return running


def keeper_of(workspace: Path) -> psutil.Process:
    """Return the servers' keeper."""
    [keeper] = [
        process for process in processes_of(workspace) if "devstack.keeper" in process.cmdline()
    ]
    return keeper
