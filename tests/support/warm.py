"""Running programs by forking a process that has imported them all.

Importing what a program needs costs more than a second of CPU, and tests run hundreds. What is
forked is a process of its own, with its own environment, streams, signals and exit code. It differs
from one that was started afresh in what options of the interpreter do (`PYTHON…` variables: those
start one), and in what reads the environment while it is imported, which nothing does.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from consumer import cli as consumer
from producer import cli as producer
from tests.support.programs import DEADLINE_SECONDS, Ended, start_afresh

for _place in (*consumer.COMMANDS.values(), *producer.COMMANDS.values()):
    import_module(_place.partition(":")[0])


_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([__name__])


def fork_warm(
    command: Sequence[str], environment: Mapping[str, str], stdin: str | None = None
) -> Ended:
    """Run `python -m program …` to its end in a fork of the server's; see `programs.run`."""
    if any(name.startswith("PYTHON") for name in environment.keys() - os.environ.keys()):
        return start_afresh(command, environment, stdin)
    with tempfile.TemporaryDirectory(prefix="run-") as directory:
        streams = Path(directory)
        (streams / "stdin").write_text(stdin or "", encoding="utf-8")
        program = Program(tuple(command), dict(environment), str(Path.cwd()), directory)
        process = _server.Process(target=_become, args=(program,), name=" ".join(command))
        process.start()
        process.join(DEADLINE_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(program.command, DEADLINE_SECONDS)
        said, told = ((streams / name).read_text("utf-8") for name in ("stdout", "stderr"))
        return Ended(program.command, process.exitcode, said, told)


@dataclass(frozen=True)
class Program:
    """A program to become: its arguments, environment, directory, and where its streams are."""

    command: tuple[str, ...]
    environment: dict[str, str]
    directory: str
    streams: str


def _become(program: Program) -> None:
    """Be the program until it ends; its exit code is the process's."""
    os.environ.clear()
    os.environ.update(program.environment)
    time.tzset()
    os.chdir(program.directory)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        with (Path(program.streams) / name).open("r" if number == 0 else "w") as file:
            os.dup2(file.fileno(), number)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", closefd=False)
    name, *arguments = program.command
    main = import_module(f"{name}.__main__")
    sys.argv = [main.__file__ or name, *arguments]
    main.main()
