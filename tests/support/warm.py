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
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.support.programs import DEADLINE_SECONDS, Ended, Start, start_afresh

for _program in ("consumer", "producer"):
    for _place in import_module(f"{_program}.cli").COMMANDS.values():
        import_module(_place.partition(":")[0])

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([__name__])


def fork_warm(start: Start) -> Ended:
    """Run `python -m program …` to its end in a fork of the server's; see `programs.run`."""
    if any(name.startswith("PYTHON") for name in start.environment.keys() - os.environ.keys()):
        return start_afresh(start)
    with tempfile.TemporaryDirectory(prefix="run-") as directory:
        streams = Path(directory)
        (streams / "stdin").write_text(start.stdin, encoding="utf-8")
        name = " ".join(start.command)
        process = _server.Process(target=_become, args=(start, streams), name=name)
        process.start()
        process.join(DEADLINE_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(start.command, DEADLINE_SECONDS)
        said, told = ((streams / stream).read_text("utf-8") for stream in ("stdout", "stderr"))
        return Ended(start.command, process.exitcode, said, told)


@contextmanager
def running_warm(start: Start, log: Path) -> Iterator[BaseProcess]:
    """Run a daemon in such a fork while the block runs; what it says goes into two files.

    It is killed if it still runs then: tell it to stop by `terminate()`, and `join()` it.
    """
    process = start_warm(start, log)
    try:
        yield process
    finally:
        process.kill()
        process.join()


def start_warm(start: Start, log: Path) -> BaseProcess:
    """Start a daemon likewise; whoever asks for it ends it."""
    log.mkdir(parents=True, exist_ok=True)
    (log / "stdin").touch()
    process = _server.Process(target=_become, args=(start, log), name=" ".join(start.command))
    process.start()
    return process


def _become(start: Start, streams: Path) -> None:
    """Be the program until it ends; its exit code is the process's."""
    os.environ.clear()
    os.environ.update(start.environment)
    time.tzset()
    os.chdir(start.directory)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        with (streams / name).open("r" if number == 0 else "w") as file:
            os.dup2(file.fileno(), number)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", closefd=False)
    program, *arguments = start.command
    main = import_module(f"{program}.__main__")
    sys.argv = [main.__file__ or program, *arguments]
    main.main()
