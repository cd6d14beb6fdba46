"""Whether the Iceberg tables say what PostgreSQL says: counts and sums, by table and day.

Both are looked at as of one moment: an exporter that begins later changes neither the snapshot of
PostgreSQL nor the Iceberg snapshots that were loaded. Days that are queued are not compared: they
are known to differ.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pyarrow as pa
from psycopg import sql
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table
from pyiceberg.types import DecimalType, LongType

from lakehouse.batch import Place, snapshot
from lakehouse.columns import Column, stored_columns
from lakehouse.commits import state_of
from lakehouse.errors import LakehouseError
from lakehouse.feed import Connection, Selection
from lakehouse.lake import TableState
from lakehouse.tables import BUSINESS_DAY, TABLES, DataTable

Lock = Callable[[], AbstractContextManager[None]]
Day = date | None
#: Of a day: how many rows, then per column the sum.
Sums = Mapping[Day, tuple[Decimal | int, ...]]

_DIGITS = 76
_WIDE = pa.decimal256(_DIGITS, 10)


@dataclass(frozen=True, slots=True)
class Difference:
    """What the two disagree about on a day of a table; `what` is a column, or `rows`."""

    table: str
    day: Day
    what: str
    postgres: Decimal | int
    iceberg: Decimal | int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison found."""

    days: int
    rows: int
    queued: int
    differences: tuple[Difference, ...]
    behind: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences and not self.behind


def verify(
    place: Place,
    lock: Lock,
    selection: Selection,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> Verdict:
    """Compare all tables, or the days of a range of them.

    Raises:
        LakehouseError: a table was never made.
    """
    differences: list[Difference] = []
    days: set[Day] = set()
    rows = 0
    with _one_moment(place, lock) as (tables, behind):
        columns = stored_columns(place.connection, place.personal)
        queued = _queued(place.connection)
        for number, (name, about) in enumerate(TABLES.items()):
            advance(number, len(TABLES))
            names = _summed(tables[name], columns[name])
            stored = _stored_sums(place.connection, about, names, selection)
            exported = _exported_sums(tables[name], about, names, selection)
            compared = {day for day in {*stored, *exported} if (about.topic, day) not in queued}
            days |= compared
            rows += sum(int(stored[day][0]) for day in compared if day in stored)
            differences += _differences(name, names, compared, stored, exported)
    return Verdict(len(days - {None}), rows, len(queued), tuple(differences), behind)


@contextmanager
def _one_moment(place: Place, lock: Lock) -> Iterator[tuple[Mapping[str, Table], tuple[str, ...]]]:
    """Give the tables, and those that `latest.json` names otherwise, while PostgreSQL is held.

    The lock is needed only while both are taken.
    """
    with ExitStack() as stack:
        with lock():
            stack.enter_context(snapshot(place.connection))
            tables = {name: place.tables.load(name) for name in TABLES}
            latest, _ = place.lake.read_latest()
        found = {name: table for name, table in tables.items() if table is not None}
        if len(found) < len(tables):
            raise LakehouseError("there are no Iceberg tables: run `lakehouse init` first")
        published = latest.tables if latest else {}
        yield (
            found,
            tuple(
                name
                for name, table in found.items()
                if _snapshot_of(published.get(name)) != _snapshot_of(state_of(table))
            ),
        )


def _snapshot_of(state: TableState | None) -> int | None:
    return state.snapshot_id if state else None


def _queued(connection: Connection) -> set[tuple[str, Day]]:
    rows = connection.execute("SELECT DISTINCT topic, business_day FROM lakehouse_changes")
    return {(topic, day) for topic, day in rows.fetchall()}


def _summed(iceberg: Table, columns: Sequence[Column]) -> list[str]:
    """Return the columns of numbers, which can be summed."""
    present = {column.name for column in columns}
    return [
        field.name
        for field in iceberg.schema().fields
        if field.name in present and isinstance(field.field_type, LongType | DecimalType)
    ]


def _stored_sums(
    connection: Connection, about: DataTable, names: Sequence[str], selection: Selection
) -> Sums:
    sums = [sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier("t", name)) for name in names]
    within: sql.Composable = sql.SQL("true")
    if about.day is not None and not selection.is_everything:
        within = sql.SQL(
            "{} BETWEEN coalesce(%(first)s::date, '-infinity') "
            "AND coalesce(%(last)s::date, 'infinity')"
        ).format(about.day_column)
    query = sql.SQL("SELECT {} AS day, count(*), {} {} AND {} GROUP BY 1").format(
        about.day_column, sql.SQL(", ").join(sums), about.rows, within
    )
    bounds = {"first": selection.first, "last": selection.last}
    rows = connection.execute(query, bounds).fetchall()
    return {day: tuple(numbers) for day, *numbers in rows}


def _exported_sums(
    iceberg: Table, about: DataTable, names: Sequence[str], selection: Selection
) -> Sums:
    """Sum up batch by batch: a year of lines is more than memory holds."""
    if iceberg.current_snapshot() is None:
        return {}
    by_day = [BUSINESS_DAY] if about.day is not None else []
    scan = iceberg.scan(selected_fields=(*by_day, *names), row_filter=_range(about, selection))
    totals: dict[Day, list[Any]] = {}
    with localcontext(prec=_DIGITS):  # by default, Decimal rounds a sum to 28 digits
        for batch in scan.to_arrow_batch_reader():
            for day, numbers in _summed_batch(batch, names, by_day):
                total = totals.setdefault(day, [0] * len(numbers))
                totals[day] = [before + more for before, more in zip(total, numbers, strict=True)]
    return {day: tuple(total) for day, total in totals.items()}


def _summed_batch(
    batch: pa.RecordBatch, names: Sequence[str], by_day: Sequence[str]
) -> Iterator[tuple[Day, list[Any]]]:
    """Give the count and the sums of each day in a batch; wide, so that no sum overflows."""
    columns = {name: batch.column(name).cast(_WIDE) for name in names}
    days = batch.column(BUSINESS_DAY) if by_day else pa.nulls(batch.num_rows, pa.date32())
    table = pa.table({BUSINESS_DAY: days, **columns})
    wanted = [([], "count_all"), *((name, "sum") for name in names)]
    grouped = table.group_by(BUSINESS_DAY).aggregate(wanted)
    for row in grouped.to_pylist():
        sums = [row[f"{name}_sum"] or 0 for name in names]
        yield row[BUSINESS_DAY], [row["count_all"], *sums]


def _range(about: DataTable, selection: Selection) -> str | AlwaysTrue:
    if about.day is None or selection.is_everything:
        return AlwaysTrue()
    first, last = selection.first or date.min, selection.last or date.max
    return f"{BUSINESS_DAY} >= '{first}' AND {BUSINESS_DAY} <= '{last}'"


def _differences(
    table: str, names: Sequence[str], compared: set[Day], stored: Sums, exported: Sums
) -> Iterator[Difference]:
    nothing = (0,) * (len(names) + 1)
    for day in sorted(compared, key=lambda one: (one is None, one)):
        pairs = zip(stored.get(day, nothing), exported.get(day, nothing), strict=True)
        for what, (here, there) in zip(("rows", *names), pairs, strict=True):
            if here != there:
                yield Difference(table, day, what, here, there)
