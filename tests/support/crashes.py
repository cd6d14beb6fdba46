"""Exporters that end at a step of a batch: in this process, or killed in one of their own."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from pyiceberg.table import Transaction

from lakehouse import batch, feed

# Where an exporter ends: before a call of a function, or after one that did its work.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "one file is written": (batch, "write_day", True),
    "all files are written": (batch, "commit", False),
    "one table is committed": (Transaction, "commit_transaction", True),
    "all tables are committed": (batch, "publish", False),
    "latest.json is written": (batch, "publish", True),
    "the queue is emptied": (feed, "acknowledge", True),
}

# Ends as `kill -9` ends it, with nothing tidied up; then what the command line would do.
_KILLED = """
import os, signal, sys
from pyiceberg.table import Transaction
commit = Transaction.commit_transaction
def commit_and_die(transaction):
    commit(transaction)
    os.kill(os.getpid(), signal.SIGKILL)
Transaction.commit_transaction = commit_and_die
sys.argv = ["lakehouse", "run", "--every", "1h"]
from lakehouse.__main__ import main
main()
"""


class Crash(BaseException):
    """The exporter is gone; nothing of ours catches it."""


@contextmanager
def crashing_when(step: str) -> Iterator[None]:
    """Let the exporter of the block end at a step; the block must get there."""
    where, name, after = STEPS[step]
    try:
        with patch.object(where, name, _deadly(getattr(where, name), after=after)):
            yield
    except Crash:
        return
    raise AssertionError(f"the exporter did not get to where {step}")


def _deadly(original: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if after:
            original(*arguments, **named)
        raise Crash

    return call


def killed_daemon(environment: Mapping[str, str]) -> int:
    """Run `lakehouse run`, killed once a table is committed; return its exit code."""
    command = [sys.executable, "-c", _KILLED]
    return subprocess.run(command, env=environment, check=False, timeout=60).returncode
