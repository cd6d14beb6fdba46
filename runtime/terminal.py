"""What every command does at a terminal: read settings, run, print, report what failed, exit.

Results go to stdout, everything else to stderr; what is not a terminal gets plain lines.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic_settings import BaseSettings
from rich.console import Console
from rich.padding import Padding
from rich.progress import MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from runtime.errors import EXIT_FAILED, EXIT_INTERRUPTED, ReportedError
from runtime.settings import read_settings
from runtime.signals import interrupt_when_told

_ID_CHARACTERS = 36
_SECONDS_BETWEEN_LINES = 5.0

S = TypeVar("S", bound=BaseSettings)
R = TypeVar("R")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, without doing it.")
]


def read_time(text: str) -> datetime:
    """Read a time as our logs write it, or a date; UTC unless an offset is given.

    Raises:
        ValueError: it is none.
    """
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _time_option(text: str) -> datetime:
    try:
        return read_time(text)
    except ValueError as error:
        expected = f"{text[:40]!r} is no time; write it like 2024-06-01T12:00:00Z"
        raise typer.BadParameter(expected) from error


def since_option(what: str) -> Any:
    """Return the option `--since`, which takes the times that our logs print."""
    told = f"Only {what} since this time; UTC unless an offset is given."
    return typer.Option(parser=_time_option, metavar="TIME", help=told)


# Is told how many are done, of how many (None if nobody knows), and how many of them failed.
Advance = Callable[..., None]


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn a ReportedError, also one that a task group wrapped, into its message and exit code."""
    try:
        yield
    except (ReportedError, BaseExceptionGroup) as error:
        reported: BaseException = error
        while isinstance(reported, BaseExceptionGroup):
            reported = reported.exceptions[0]
        if not isinstance(reported, ReportedError):
            raise
        fail(str(reported), reported.exit_code)


def finish(work: Coroutine[Any, Any, R]) -> R:
    """Run a command's work to its end, or exit with its error; 130 when told to stop."""
    interrupt_when_told()
    with reported_errors():
        try:
            return asyncio.run(work)
        except KeyboardInterrupt:
            sys.exit(EXIT_INTERRUPTED)


def settings_of(model: type[S]) -> S:
    """Read settings, or exit naming each variable that is unusable and the remedy."""
    with reported_errors():
        return read_settings(model)


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Report on stderr what went wrong, and exit."""
    typer.secho(printable(f"error: {message}"), err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


def tell(message: str) -> None:
    """Print something beside the result, on stderr."""
    typer.echo(printable(message), err=True)


def print_json(value: Any, indent: int | None = None) -> None:
    """Print a value as one JSON document on stdout.

    Times and days in it are ISO 8601; amounts are text, which keeps their digits.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # an encoding that lacks it, or a lone surrogate somebody sent us
        text = json.dumps(value, indent=indent, default=_plain)
    typer.echo(text)


def print_table(
    columns: Sequence[str], rows: Iterable[Iterable[Any]], title: str | None = None
) -> None:
    """Print a table on stdout; without a terminal, tab-separated lines. Cells hold no markup."""
    lines = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in (columns, *lines):
            typer.echo("\t".join(printable(" ".join(cell.splitlines())) for cell in line))
        return
    console = Console()
    table = Table(title=title, title_justify="left")
    # An id is what other commands take: it stays in one piece where there is room for that.
    id_width = _ID_CHARACTERS if console.width >= 2 * _ID_CHARACTERS else None
    for name in columns:
        table.add_column(name, overflow="fold", min_width=id_width if name == "id" else None)
    for line in lines:
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in line))
    console.print(table)


def print_blocks(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    block: Callable[[Sequence[str]], Sequence[str]],
) -> None:
    """Print rows too long for a table: on a terminal some lines each, folded between words.

    Args:
        columns: The names of the cells.
        rows: The cells of each.
        block: Makes lines of a row's cells; those behind the first are indented.
    """
    if not sys.stdout.isatty():
        print_table(columns, rows)
        return
    console = Console(highlight=False)
    for row in rows:
        first, *others = (Text(printable(line), overflow="fold") for line in block(row))
        console.print(first, style="bold")
        for line in others:
            console.print(Padding(line, (0, 0, 0, 4)))


def printable(text: str) -> str:
    """Replace what a terminal could take for a command."""
    return "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Advance]:
    """Show how far a command is: a bar on a terminal, a line every few seconds elsewhere."""
    if not sys.stderr.isatty():
        yield progress_lines(what, total, sys.stderr.write)
        return
    more = (MofNCompleteColumn(), TextColumn("{task.fields[failed]}"))
    with Progress(
        *Progress.get_default_columns(), *more, console=Console(stderr=True), redirect_stdout=False
    ) as bar:
        task = bar.add_task(what, total=total, failed="")

        def advance(done: int, total: int | None = total, failed: int = 0) -> None:
            told = f"{failed} failed" if failed else ""
            bar.update(task, completed=done, total=total, failed=told)

        yield advance


def progress_lines(
    what: str,
    total: int | None,
    write: Callable[[str], object],
    clock: Callable[[], float] = time.monotonic,
) -> Advance:
    """Return what writes a line at most every five seconds, when it is told of progress."""
    started = last = clock()

    def advance(done: int, total: int | None = total, failed: int = 0) -> None:
        nonlocal last
        now = clock()
        if now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        rate = done / (now - started)
        told = [f"{done}/{total}" if total is not None else str(done), f"{rate:.1f}/s"]
        if failed:
            told.append(f"{failed} failed")
        if total is not None and rate:
            told.append(f"{(total - done) / rate:.0f} s left")
        write(f"{what}: {', '.join(told)}\n")

    return advance


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else asdict(value)
