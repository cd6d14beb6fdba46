"""What the page of completeness draws: store-days in rows, their totals, and what to pull."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from itertools import groupby

from console.data.database import Row
from console.web.links import store_day


@dataclass(frozen=True, slots=True)
class State:
    """What a store-day can stand at."""

    glyph: str
    label: str
    look: str  # the class of its cells: two thousand of them name it
    meaning: str


#: By what is looked for first.
STATES = {
    "dead_lettered": State("!", "dead-lettered", "d", "the newest answer, or part of it, failed"),
    "missing": State("?", "missing", "m", "due, and nothing came"),
    "late": State("◷", "late", "t", "loaded after it was due"),
    "open": State("…", "still open", "o", "not due yet, or asked before the day was over"),
    "empty": State("∅", "empty day", "e", "loaded: nothing happened"),
    "loaded": State("✓", "loaded", "l", "loaded whole"),
}
_PAGE_BYTES = 180_000  # of cells
_CELL_BYTES = 62  # of one, without the names of store and state
_MOST_STORES = 60
_MOST_COMMANDS = 12


@dataclass(frozen=True, slots=True)
class Cell:
    """One store-day of one source."""

    state: str
    look: str  # classes: the state, and how many quarters of it failed
    href: str
    facts: str

    @property
    def glyph(self) -> str:
        """Return the state's sign."""
        return STATES[self.state].glyph


@dataclass(frozen=True, slots=True)
class Calendar:
    """The store-days of one source; `cells` by store, with None where nothing was expected."""

    days: tuple[date, ...]
    cells: dict[str, list[Cell | None]]
    totals: dict[str, Counter[str]]  # by source
    state: str | None  # what is looked for
    stores: int  # that have it
    part: int  # that is shown, from 1
    parts: int

    def count(self, source: str, state: str) -> int:
        """Return how many store-days of a source are in a state."""
        return self.totals[source][state] if source in self.totals else 0

    @property
    def months(self) -> list[list[date]]:
        """Return the days, month by month."""
        return [list(found) for _, found in groupby(self.days, lambda day: (day.year, day.month))]


def calendar(rows: Iterable[Row], days: Sequence[date], state: str | None, part: int) -> Calendar:
    """Arrange the rows of the query `calendar`; `state`: only stores that have it."""
    places = {day: place for place, day in enumerate(days)}
    totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    by_store: defaultdict[str, list[Row | None]] = defaultdict(lambda: [None] * len(days))
    for row in rows:
        if row["store_id"] is None:
            totals[row["source"]][row["state"]] = row["days"]
        else:
            by_store[row["store_id"]][places[row["bus_dt"]]] = row
    chosen = sorted(
        store
        for store, line in by_store.items()
        if state is None or any(row and row["state"] == state for row in line)
    )
    per_page = _stores_per_page(chosen, len(days))
    parts = max(1, -(-len(chosen) // per_page))
    part = min(part, parts)
    shown = chosen[(part - 1) * per_page : part * per_page]
    cells = {store: [cell(row) if row else None for row in by_store[store]] for store in shown}
    return Calendar(tuple(days), cells, dict(totals), state, len(chosen), part, parts)


def _stores_per_page(stores: Sequence[str], days: int) -> int:
    longest = max((len(store_day(store, date.min)) for store in stores), default=0)
    return max(1, min(_MOST_STORES, _PAGE_BYTES // (days * (_CELL_BYTES + longest))))


def cell(row: Row) -> Cell:
    """Draw one store-day."""
    state, look = row["state"], STATES[row["state"]].look
    href = store_day(row["store_id"], row["bus_dt"])
    failed = row["quarantined"] or 0
    if state == "dead_lettered" and failed:
        whole = (row["records"] or 0) + failed
        quarters = min(3, max(1, round(4 * failed / whole)))
        return Cell(state, f"{look} q{quarters}", href, f"{failed:,} of {whole:,} failed")
    return Cell(state, look, href, _facts(row))


def _facts(row: Row) -> str:
    if row["state"] == "dead_lettered":
        return "an older answer stands" if row["is_stored"] else "nothing stands"
    if not row["is_stored"]:
        return "nothing yet" if row["state"] == "open" else "nothing came"
    told = [] if row["records"] is None else [f"{row['records']:,} records"]
    if row["state"] == "late":
        told.append(f"first loaded {row['first_loaded_at'].astimezone(UTC):%Y-%m-%d %H:%M}")
    return ", ".join(told)


def commands(rows: Iterable[Row], source: str) -> tuple[list[str], int]:
    """Return the lines that pull what is missing, and how many more there would be.

    Days in a row are one line, and stores that miss the same days too.
    """
    missing: defaultdict[str, list[date]] = defaultdict(list)
    for row in rows:
        if row["state"] == "missing" and row["store_id"] is not None:
            missing[row["store_id"]].append(row["bus_dt"])
    stores_of: defaultdict[tuple[date, date], list[str]] = defaultdict(list)
    for store, days in sorted(missing.items()):
        for first, last in _runs(sorted(days)):
            stores_of[first, last].append(store)
    lines = [pull_line(stores, *span, source) for span, stores in sorted(stores_of.items())]
    return lines[:_MOST_COMMANDS], max(0, len(lines) - _MOST_COMMANDS)


def _runs(days: Sequence[date]) -> Iterable[tuple[date, date]]:
    first = last = days[0]
    for day in days[1:]:
        if day - last > timedelta(days=1):
            yield first, last
            first = day
        last = day
    yield first, last


def pull_line(stores: Iterable[str], first: date, last: date, source: str | None) -> str:
    """Return the command that asks the ERP for some store-days, quoted for a shell."""
    words = ["producer", "pull", "--from", first.isoformat()]
    words += ["--to", last.isoformat()] if last != first else []
    for store in stores:
        # One word, so that a store that begins with a dash is not taken for an option.
        words.append(f"--store={store}")
    words += ["--endpoint", source] if source else []
    return shlex.join(words)
