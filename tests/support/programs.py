"""Running the project's programs as processes, the way their users do."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support.databases import conninfo

DEADLINE_SECONDS = 120.0


Ended = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Start:
    """A program with its arguments, and what it is started with."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    stdin: str = ""


Runner = Callable[[Start], Ended]


def start_afresh(start: Start) -> Ended:
    """Start an interpreter for `python -m program …`, as users do."""
    return subprocess.run(
        [sys.executable, "-m", *start.command],
        env=dict(start.environment),
        cwd=start.directory,
        input=start.stdin,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


_runners: list[Runner] = [start_afresh]


@contextmanager
def run_by(runner: Runner) -> Iterator[None]:
    """Run programs in another way meanwhile."""
    _runners.append(runner)
    try:
        yield
    finally:
        _runners.pop()


def run(
    program: str,
    *arguments: str,
    environment: Mapping[str, str],
    stdin: str = "",
    directory: Path | None = None,
) -> Ended:
    """Run `python -m program` to its end, here or in a directory, and return what it said."""
    where = directory or Path.cwd()
    return _runners[-1](Start((program, *arguments), environment, where, stdin))


def succeed(program: str, *arguments: str, environment: Mapping[str, str]) -> str:
    """Run a program that must exit 0 and return its stdout."""
    result = run(program, *arguments, environment=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def query(environment: Mapping[str, str], statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query on the environment's database."""
    with psycopg.connect(**conninfo(environment)) as connection:
        rows: Sequence[tuple[Any, ...]] = connection.execute(statement).fetchall()  # type: ignore[call-overload]  # test statements are built here
        return list(rows)


def until(condition: Callable[[], bool], what: str) -> None:
    """Poll until a condition holds, or fail naming what did not happen in time.

    Less and less often, as a look at a server is work for it, too.
    """
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < DEADLINE_SECONDS, f"not in time: {what}"
        time.sleep(min(0.5, max(0.05, waited / 20)))


def page(port: int, path: str) -> tuple[int, str]:
    """Return status and text of a page of a program's HTTP port; status 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return 0, ""
