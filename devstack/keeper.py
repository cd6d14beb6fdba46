"""The process that owns a stack's servers: `python -m devstack.keeper DIRECTORY [--without-api]`.

It runs in a session of its own and reads standard input, whose other end only the owner (a
`devstack` command, a test run) holds. However the owner ends, SIGKILL included, the pipe ends
with it, and the keeper then stops everything and removes the directory. If the keeper itself is
killed, a janitor does the same (`devstack.launch`). Reports to the owner on standard output, one
JSON object a line.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from devstack.launch import janitor_command, signal_program
from devstack.server import ServerFailedError
from devstack.servers import Servers

_POLL_SECONDS = 0.05
_WATCH_SECONDS = 1.0
_COMMAND_GRACE_SECONDS = 5.0


class Control:
    """What the owner says, by pipe or by signal.

    `watch PID` names a program that must not outlive the owner, `forget PID` says it has ended;
    `detach` says that the owner will leave and only a signal ends the stack. The janitor is told
    about programs too, in case it has to do the work.
    """

    def __init__(self, pipe: int, janitor_pipe: int) -> None:
        self.watched: list[int] = []
        self.should_stop = False
        self._detached = False
        self._pipe: int | None = pipe
        self._janitor_pipe = janitor_pipe
        self._text = b""
        self._alarm, alarm_writer = socket.socketpair()
        self._alarm_writer = alarm_writer  # kept open: its end would read as an alarm
        alarm_writer.setblocking(False)
        signal.set_wakeup_fd(alarm_writer.fileno())
        # Not SIG_IGN, which the servers would inherit: a handler is reset when they are started.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_terminate)

    def wait(self, seconds: float) -> None:
        """Sleep that long, or until the owner says something."""
        sources = [self._alarm.fileno(), *([] if self._pipe is None else [self._pipe])]
        ready, _, _ = select.select(sources, [], [], seconds)
        if self._alarm.fileno() in ready:
            self._alarm.recv(64)
        if self._pipe is not None and self._pipe in ready:
            self._read(self._pipe)

    def _on_terminate(self, _number: int, _frame: FrameType | None) -> None:
        self.should_stop = True

    def _read(self, pipe: int) -> None:
        data = os.read(pipe, 4096)
        if not data:
            self._pipe = None
            self.should_stop = self.should_stop or not self._detached
            return
        *lines, self._text = (self._text + data).split(b"\n")
        for line in lines:
            self._obey(line)

    def _obey(self, line: bytes) -> None:
        word, _, number = line.partition(b" ")
        if word == b"detach":
            self._detached = True
            return
        if word == b"watch":
            self.watched.append(int(number))
        elif word == b"forget" and int(number) in self.watched:
            self.watched.remove(int(number))
        with contextlib.suppress(BrokenPipeError):
            os.write(self._janitor_pipe, line + b"\n")


def keep(directory: Path, *, with_api: bool) -> None:
    """Start the servers in `directory`, hold them until told to stop, leave nothing behind."""
    janitor = subprocess.Popen(
        janitor_command(directory),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    assert janitor.stdin is not None  # noqa: S101 - Popen was given PIPE
    watch_pipe = janitor.stdin.fileno()
    control = Control(sys.stdin.fileno(), watch_pipe)
    # Others may walk through but not look: PostgreSQL's directory belongs to another user.
    directory.mkdir(mode=0o711)
    servers = Servers(directory, watch_pipe, with_api=with_api)
    try:
        _bring_up(servers, control)
        _hold(servers, control)
    except ServerFailedError as error:
        report("failed", message=str(error))
    finally:
        stop_watched(control.watched)
        servers.stop()
        shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(BrokenPipeError):
            os.write(watch_pipe, b"done\n")
        janitor.stdin.close()
        janitor.wait()


def _bring_up(servers: Servers, control: Control) -> None:
    servers.start()
    while not control.should_stop:
        for name, seconds in servers.newly_ready():
            report("ready", server=name, seconds=round(seconds, 2))
        if servers.all_ready:
            report("up", environment=servers.environment, processes=servers.processes)
            return
        control.wait(_POLL_SECONDS)


def _hold(servers: Servers, control: Control) -> None:
    while not control.should_stop:
        control.wait(_WATCH_SECONDS)
        for failure in servers.newly_ended():
            sys.stderr.write(f"devstack: {failure}\n")
            sys.stderr.flush()


def stop_watched(process_ids: list[int]) -> None:
    """Interrupt programs that outlived the owner; kill those that do not listen."""
    left = [number for number in process_ids if signal_program(number, signal.SIGINT)]
    deadline = time.monotonic() + _COMMAND_GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        left = [number for number in left if signal_program(number, 0)]
    for number in left:
        signal_program(number, signal.SIGKILL)


def report(event: str, **fields: object) -> None:
    """Tell the owner; an owner that is gone is no error, the pipe's end will be noticed."""
    try:
        sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes the stream at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    keep(Path(sys.argv[1]), with_api="--without-api" not in sys.argv[2:])
