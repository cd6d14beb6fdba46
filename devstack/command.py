"""Runs one command beside the servers, as if it had been started from the shell.

Without a terminal the command leads a process group of its own and gets the signals that this
process gets, once each. With one it shares our group, so that it may read the terminal and the
keys Ctrl-C and Ctrl-Z reach it directly.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import IO, NamedTuple

from devstack.launch import announced_command, signal_program
from devstack.stack import Stack

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TICK_SECONDS = 0.1


class CommandEnd(NamedTuple):
    """How a command ended.

    Attributes:
        code: Its exit code, or 128+n when signal n ended it.
        signalled: The last signal that asked us, and with us the command, to end; or None.
    """

    code: int
    signalled: int | None


def run_command(
    stack: Stack,
    command: list[str],
    environment: Mapping[str, str],
    *,
    output: IO[bytes] | None = None,
    on_tick: Callable[[], None] = lambda: None,
) -> CommandEnd:
    """Run `command` to its end. Blocks; a command that outlives this process is stopped.

    Args:
        stack: The servers; their keeper watches over the command too.
        command: Program and arguments.
        environment: The whole environment of the command.
        output: Where its output and error output go; by default where ours go.
        on_tick: Called about ten times a second while the command runs.
    """
    shares_terminal = sys.stdin is not None and sys.stdin.isatty()
    process = subprocess.Popen(
        announced_command(stack.watch_pipe, command),
        env=dict(environment),
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        pass_fds=(stack.watch_pipe,),
        process_group=None if shares_terminal else 0,
    )
    with _forwarding(process, shares_terminal=shares_terminal) as received:
        code = _wait(process, on_tick)
    with contextlib.suppress(BrokenPipeError):  # the keeper may have been killed
        os.write(stack.watch_pipe, b"forget %d\n" % process.pid)
    return CommandEnd(code if code >= 0 else 128 - code, received[-1] if received else None)


def _wait(process: subprocess.Popen[bytes], on_tick: Callable[[], None]) -> int:
    while True:
        try:
            return process.wait(_TICK_SECONDS)
        except subprocess.TimeoutExpired:
            on_tick()


@contextmanager
def _forwarding(process: subprocess.Popen[bytes], *, shares_terminal: bool) -> Iterator[list[int]]:
    """While inside, hand the signals that ask us to end on to the command; yields them."""
    received: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        # The terminal has sent it to the command as well.
        if not (shares_terminal and number == signal.SIGINT):
            signal_program(process.pid, number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_on_terminate(code: int | None = None) -> None:
    """Turn SIGTERM and SIGHUP into SystemExit, so that what we started is stopped before we end.

    Args:
        code: The exit code; by default 128+n for signal n.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number if code is None else code)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
