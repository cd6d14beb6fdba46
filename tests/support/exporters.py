"""Exporters of their own process, killed at a step; Arrow is imported once for all of them."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from pyiceberg.table import Transaction

from lakehouse import app, batch, feed
from lakehouse.feed import Selection
from lakehouse.settings import LakehouseSettings

# Where an exporter dies: before a call of a function, or after one that did its work.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "one file is written": (batch, "write_day", True),
    "all files are written": (batch, "commit", False),
    "one table is committed": (Transaction, "commit_transaction", True),
    "all tables are committed": (batch, "publish", False),
    "latest.json is written": (batch, "publish", True),
    "the queue is emptied": (feed, "acknowledge", True),
}


def killed_when(step: str, settings: LakehouseSettings) -> int:
    """Export in a process that is killed at a step; return its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.exporters"])
    process = context.Process(target=_export_and_die, args=(step, settings), name="exporter")
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def _export_and_die(step: str, settings: LakehouseSettings) -> None:
    where, name, after = STEPS[step]
    with patch.object(where, name, _deadly(getattr(where, name), after=after)):
        app.export(settings, Selection(), again=False)


def _deadly(original: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if after:
            original(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return call
