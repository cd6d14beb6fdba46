"""The project's programs as the tour runs them: shown as one would type them, output and all."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from devstack.command import CommandEnd, run_command
from devstack.environment import command_environment
from devstack.server import last_lines
from devstack.stack import Stack


class ProgramFailedError(RuntimeError):
    """A program of the tour failed; the message names it and shows what it said last."""


class Programs:
    """Starts the programs beside one stack."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self._stack = stack
        self._console = console
        self._environment: Mapping[str, str] = command_environment(os.environ, stack.environment)
        self._count = 0

    def show(self, *command: str) -> None:
        """Run a program with its output on the terminal.

        Raises:
            ProgramFailedError: it exited with another code than 0.
            KeyboardInterrupt: we were interrupted meanwhile.
        """
        self._announce(command)
        end = run_command(self._stack, list(command), self._environment)
        _check(command, end, [])

    def watch(self, *command: str, on_tick: Callable[[], None]) -> Path:
        """Run a program with its output in a file, calling `on_tick` while it runs.

        Returns:
            The file.

        Raises:
            ProgramFailedError: it exited with another code than 0.
            KeyboardInterrupt: we were interrupted meanwhile.
        """
        self._announce(command)
        self._count += 1
        path = self._stack.directory / f"program-{self._count}.log"
        with path.open("wb") as output:
            end = run_command(
                self._stack, list(command), self._environment, output=output, on_tick=on_tick
            )
        _check(command, end, last_lines(path))
        return path

    def serve_console(self, port: int) -> None:
        """Serve the console until somebody ends it, with its log in a file.

        Raises:
            ProgramFailedError: it could not start.
            KeyboardInterrupt: we were interrupted, and it has stopped.
        """
        own = {"CONSOLE_PORT": str(port), "CONSOLE_OPERATORS": "local"}
        path = self._stack.directory / "console.log"
        command = ("console", "serve")
        with path.open("wb") as output:
            end = run_command(
                self._stack, list(command), {**self._environment, **own}, output=output
            )
        _check(command, end, last_lines(path))

    def _announce(self, command: tuple[str, ...]) -> None:
        self._console.print(
            f"$ {shlex.join(command)}", style="bold cyan", markup=False, soft_wrap=True
        )
        sys.stdout.flush()


def _check(command: tuple[str, ...], end: CommandEnd, tail: list[str]) -> None:
    if end.signalled is not None:
        # A program that stops in good order when asked exits with 0; the tour ends all the same.
        raise KeyboardInterrupt
    if end.code != 0:
        said = "".join(f"\n    {line}" for line in tail)
        raise ProgramFailedError(f"`{' '.join(command)}` exited with code {end.code}{said}")
