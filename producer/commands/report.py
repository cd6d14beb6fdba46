"""What a command prints at its end: a summary and a table for people, or JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from producer.tally import Tally

_ROWS_SHOWN_COUNT = 50

EXIT_OK = 0
EXIT_INCOMPLETE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def exit_code(tally: Tally, *, interrupted: bool) -> int:
    """Return 0 only when nothing of the run is missing."""
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_OK if tally.is_complete else EXIT_INCOMPLETE


def exit_code_before_work(arguments: Sequence[str]) -> int:
    """Return the exit code after a signal that came before any work was begun.

    The daemon has ended in order; any other command has not done its work.
    """
    return EXIT_OK if arguments[:1] == ["run"] else EXIT_INTERRUPTED


def summary(tally: Tally, about: Mapping[str, Any], *, seconds: float, interrupted: bool) -> str:
    """Return a run as one JSON object; `failures` says what is missing and why."""
    return json.dumps(
        {
            **about,
            "total": tally.total,
            "stored": tally.stored,
            "unchanged": tally.unchanged,
            "present": tally.present,
            "failed": tally.failed,
            "skipped": dict(tally.skipped),
            "untried": tally.untried,
            "stored_bytes": tally.stored_bytes,
            "seconds": round(seconds, 3),
            "interrupted": interrupted,
            "stopped_by": tally.stopped_by,
            "failures": [
                {
                    **failure.subject,
                    "code": failure.code,
                    "message": failure.message,
                    "remedy": failure.remedy,
                }
                for failure in tally.failures
            ],
            "failures_omitted": tally.failed - len(tally.failures),
        },
        ensure_ascii=False,
    )


def print_report(
    tally: Tally, *, seconds: float, interrupted: bool, to: TextIO, verb: str = "stored"
) -> None:
    """Print the summary and, if something is missing, a table of it.

    Args:
        tally: The result of the run.
        seconds: How long it took.
        interrupted: Whether it was told to stop.
        to: Where to print.
        verb: What happened to the objects counted as stored.
    """
    # Store ids and file names are free text: "[bold]" and ":smile:" are names like any other.
    console = Console(file=to, markup=False, emoji=False, highlight=False, soft_wrap=True)
    if interrupted:
        console.print(f"Interrupted. What was {verb} stays; run the command again for the rest.")
    if tally.stopped_by is not None:
        console.print(f"Stopped early: {tally.stopped_by}")
    console.print(
        f"{tally.stored} of {tally.total} {verb} ({tally.stored_bytes:,} bytes) in "
        f"{seconds:.1f} s; {tally.unchanged} unchanged, {tally.present} already there, "
        f"{tally.failed} failed, {tally.skipped.total()} skipped, {tally.untried} not tried."
    )
    for breaker, count in tally.skipped.most_common(_ROWS_SHOWN_COUNT):
        console.print(
            f"{count} of {breaker} skipped: it kept failing; run the command again later."
        )
    if tally.present:
        console.print("What was already there was not asked for; --force asks for it again.")
    if tally.failures:
        console.print(_missing(tally), soft_wrap=False)
        for code, remedy in {each.code: each.remedy for each in tally.failures}.items():
            console.print(f"{code}: {remedy}")
    if tally.failed > _ROWS_SHOWN_COUNT:
        console.print(f"… and {tally.failed - _ROWS_SHOWN_COUNT} more; --json lists them.")


def _missing(tally: Tally) -> Table:
    table = Table(title="Missing", title_justify="left")
    for name in tally.failures[0].subject:
        table.add_column(name.replace("_", " "), overflow="fold")
    table.add_column("why", overflow="fold")
    for failure in tally.failures[:_ROWS_SHOWN_COUNT]:
        table.add_row(*failure.subject.values(), f"{failure.code}: {failure.message}")
    return table


def print_error(message: str) -> None:
    """Print on stderr why nothing was done."""
    Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True).print(
        f"error: {message}", style="red" if sys.stderr.isatty() else None
    )
