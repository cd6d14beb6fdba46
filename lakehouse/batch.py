"""One batch: the queued days of at most a month, from PostgreSQL to published Iceberg tables.

Killed at any step, nothing is lost and nothing doubled: the next batch begins with the same queue.

1. lock: one batch at a time (`locks.py`)
2. the tables as the catalogue has them: whatever is committed to them from here on is a conflict
3. a snapshot of PostgreSQL, and what it sees of the queue
4. files, one for each table and day; nobody knows of them yet
5. one commit for each table: out with the days, in with their files
6. `latest.json`, unless somebody else wrote it since step 2
7. the queue's entries are deleted, by id
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from lakehouse import feed
from lakehouse.catalog import Tables
from lakehouse.columns import Column, Columns, exported_columns, stored_columns
from lakehouse.commits import Replacement, commit
from lakehouse.errors import Conflict, Stopped
from lakehouse.feed import Changes, Connection, Selection
from lakehouse.lake import Lake, Latest, TableState
from lakehouse.rows import Source, Unreadable, Written, explain_misfit, write_day
from lakehouse.tables import BUSINESS_DAY, TABLES, DataTable
from lakehouse.watch import Watch


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch reads and writes."""

    connection: Connection
    tables: Tables
    lake: Lake
    personal: tuple[str, ...] = ()
    batch_days: int = 31


@dataclass(slots=True)
class Batch:
    """What a batch has read and written so far."""

    export_id: str
    snapshot_time: datetime
    changes: Changes
    is_complete: bool
    columns: Columns
    files: dict[str, list[Written]] = field(default_factory=dict)

    def replacements(self) -> dict[str, Replacement]:
        """Return what is to be committed, by table."""
        return {
            name: Replacement(
                self.export_id,
                self.changes.of(TABLES[name]),
                tuple(file.path for file in files if file.path),
            )
            for name, files in self.files.items()
        }

    @property
    def row_count(self) -> int:
        """Rows written."""
        return sum(file.rows for files in self.files.values() for file in files)

    @property
    def size_bytes(self) -> int:
        """Bytes of the files written."""
        return sum(file.size_bytes for files in self.files.values() for file in files)


def run_batch(place: Place, selection: Selection, watch: Watch) -> Batch | None:
    """Export what is queued, of at most `batch_days` days; None when nothing is.

    The lock is the caller's.

    Raises:
        Conflict: somebody else was faster; begin again.
        Misfit: a value does not fit its column.
        Stopped: asked to stop before something was committed.
    """
    _, tag = place.lake.read_latest()
    columns = stored_columns(place.connection, place.personal)
    place.connection.rollback()
    tables = place.tables.follow(columns)
    try:
        batch = _read(place, tables, selection, watch)
    except Unreadable as error:
        raise explain_misfit(error.source, error.day) from None
    if batch is None:
        return None
    states = commit(tables, batch.replacements())
    publish(place, batch, states, tag)
    feed.acknowledge(place.connection, batch.changes)
    return batch


def _read(
    place: Place, tables: Mapping[str, Table], selection: Selection, watch: Watch
) -> Batch | None:
    """Write the files of what is queued, from one snapshot of PostgreSQL."""
    with snapshot(place.connection) as snapshot_time:
        changes = feed.pending(place.connection, selection, place.batch_days)
        if not changes.ids:
            return None
        batch = Batch(
            f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
            snapshot_time,
            changes,
            _is_all(place.connection, changes),
            stored_columns(place.connection, place.personal),
        )
        write_files(place, batch, tables, watch)
    return batch


def write_files(place: Place, batch: Batch, tables: Mapping[str, Table], watch: Watch) -> None:
    """Write a file for each changed table and day that has rows."""
    work = [(table, day) for table in TABLES.values() for day in batch.changes.of(table)]
    for number, (table, day) in enumerate(work):
        if watch.is_stopped():
            raise Stopped("stopped; what is not exported stays queued")
        watch.advance(number, len(work))
        columns = batch.columns[table.name]
        source = _source(place.connection, table, tables[table.name], columns)
        path = _path(place.tables.root, table, day, batch.export_id)
        written = write_day(source, day, tables[table.name].io, path)
        batch.files.setdefault(table.name, []).append(written)
    watch.advance(len(work), len(work))


def publish(place: Place, batch: Batch, states: dict[str, TableState], tag: str | None) -> None:
    """Write `latest.json` in the place of the version that was there when the batch began.

    Raises:
        Conflict: it is another version by now.
    """
    time = batch.snapshot_time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    place.lake.publish(Latest(batch.export_id, time, batch.is_complete, states), tag)


@contextmanager
def snapshot(connection: Connection) -> Iterator[datetime]:
    """Hold one state of PostgreSQL while the block runs, and give its time."""
    connection.rollback()
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # The first query takes the snapshot: nothing that is committed later is seen.
        row = connection.execute("SELECT statement_timestamp()").fetchone()
        assert row is not None  # noqa: S101 - for the type checker
        yield row[0]


def _is_all(connection: Connection, changes: Changes) -> bool:
    row = connection.execute("SELECT count(*) FROM lakehouse_changes").fetchone()
    return row is not None and row[0] == len(changes.ids)


def _source(
    connection: Connection, table: DataTable, iceberg: Table, columns: Sequence[Column]
) -> Source:
    """Return what to read of a table, and the schema of its files, with the table's field ids."""
    lacking = {column.name for column in columns} - {
        field.name for field in iceberg.schema().fields
    }
    if lacking:  # migrated since the tables were loaded
        raise Conflict
    chosen = iceberg.schema().select(*exported_columns(iceberg, columns))
    return Source(connection, table, schema_to_pyarrow(chosen, include_field_ids=True))


def _path(root: str, table: DataTable, day: date | None, export_id: str) -> str:
    if table.day is None:
        return f"{root}/{table.name}/data/{export_id}.parquet"
    return f"{root}/{table.name}/data/{BUSINESS_DAY}={day or 'null'}/{export_id}.parquet"
