"""How the tour looks: headings with times, tables, the last word."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from devstack.demo.expectations import Comparison
from devstack.demo.warehouse import Rows

_SECONDS_BETWEEN_LINES = 5.0


class Phases:
    """Prints a heading for each phase and remembers how long each took."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seconds: list[tuple[str, float]] = []

    @contextmanager
    def phase(self, title: str, about: str) -> Iterator[None]:
        """Print title and explanation; measure the block."""
        number = len(self._seconds) + 1
        self._console.print()
        self._console.rule(f"[bold]{number}. {title}", align="left")
        self._console.print(about, style="dim", soft_wrap=True)
        began = time.monotonic()
        yield
        self._seconds.append((title, time.monotonic() - began))

    def table(self) -> Table:
        """Return the table of times."""
        table = Table("phase", "seconds", title="Time", title_justify="left")
        for title, seconds in self._seconds:
            table.add_row(title, f"{seconds:.1f}")
        table.add_section()
        table.add_row("all", f"{sum(seconds for _, seconds in self._seconds):.1f}")
        _align(table, left=1)
        return table


def rows_table(title: str, columns: tuple[str, ...], rows: Rows, *, left: int) -> Table:
    """Return a table; the first `left` columns hold text, the others numbers."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(_text(value) for value in row))
    _align(table, left=left)
    return table


def comparison_table(comparisons: list[Comparison]) -> Table:
    """Return the table of what should be and what is."""
    table = Table(
        "number", "the ERP says", "the tables say", "", title="Checked", title_justify="left"
    )
    for line in comparisons:
        verdict = "[green]✓" if line.holds else f"[red]differs on {len(line.differing)} store-days"
        table.add_row(line.name, _text(line.expected), _text(line.actual), verdict)
    for column in table.columns[1:3]:
        column.justify = "right"
    return table


@contextmanager
def settled_bar(
    console: Console, total: int, what: str = "objects settled"
) -> Iterator[Callable[[int], None]]:
    """Show how many objects have reached their end state; yields the function to tell it.

    A bar on a terminal, elsewhere a line now and then.
    """
    if not console.is_terminal:
        yield _Lines(console, f"of {total} {what}").tell
        return
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda settled: progress.update(task, completed=settled)


class _Lines:
    def __init__(self, console: Console, what: str) -> None:
        self._console = console
        self._what = what
        self._last = time.monotonic()

    def tell(self, settled: int) -> None:
        if time.monotonic() - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = time.monotonic()
        self._console.print(f"{settled} {self._what}")


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"  # Iceberg's have ten decimals everywhere
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)


def _align(table: Table, *, left: int) -> None:
    for column in table.columns[left:]:
        column.justify = "right"
