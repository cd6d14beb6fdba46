"""Progress of a run: a bar on a terminal, elsewhere a plain line every few seconds.

Everything goes to stderr; stdout belongs to the result.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from producer.tally import Tally

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def shown_progress(title: str, tally: Tally) -> Iterator[None]:
    """Show the tally while the block runs.

    Args:
        title: The work, in a word or two.
        tally: Watched through its `on_change`.
    """
    if sys.stderr.isatty():
        with _bar(title, tally):
            yield
    else:
        tally.on_change = ProgressLines(title, sys.stderr.write)
        yield


class ProgressLines:
    """Writes a line at most every `SECONDS_BETWEEN_LINES`, and only after a change.

    Args:
        title: The work, in a word or two.
        write: Takes each line, with its line break.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        title: str,
        write: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title
        self._write = write
        self._clock = clock
        self._started = self._last = clock()

    def __call__(self, tally: Tally) -> None:
        """Write a line if one is due."""
        now = self._clock()
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        rate = tally.done / (now - self._started)
        left = f"{tally.untried / rate:.0f} s left" if rate else "time left unknown"
        self._write(
            f"{self._title}: {tally.done}/{tally.total}, {rate:.1f}/s, "
            f"{tally.failed} failed, {left}\n"
        )


@contextmanager
def _bar(title: str, tally: Tally) -> Iterator[None]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[failed]} failed"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as progress:
        task = progress.add_task(title, total=tally.total, rate="", failed=0)

        def on_change(tally: Tally) -> None:
            speed = progress.tasks[0].speed
            progress.update(
                task,
                completed=tally.done,
                total=tally.total,
                rate=f"{speed:.1f}/s" if speed else "",
                failed=tally.failed,
            )

        tally.on_change = on_change
        yield
