"""A business day that is exported again and again: to Iceberg, to plain files, to bare Parquet."""

from collections.abc import Callable
from time import sleep
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.cpu import own_seconds
from bench.loading_cpu import LoadingCpu
from consumer.settings import DatabaseSettings
from lakehouse import app, batch, feed
from lakehouse.batch import Batch, Place
from lakehouse.columns import stored_columns
from lakehouse.feed import Selection
from lakehouse.rows import PARQUET_OPTIONS, ROWS_PER_GROUP
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import TABLES
from lakehouse.watch import Watch

_EVERYTHING = Selection()
# A session's time is its server's once that has seen its end.
_UNTIL_COUNTED_SECONDS = 1.0


class Day:
    """One day of a database; everything returns CPU-seconds, PostgreSQL's among them.

    `own_seconds` are those of the exports without PostgreSQL's.
    """

    def __init__(
        self, settings: LakehouseSettings, database: DatabaseSettings, place: Place, day: Selection
    ) -> None:
        self._settings = settings
        self._place = place
        self._day = day
        self._clock = LoadingCpu(database).seconds
        self.own_seconds: list[float] = []

    def export(self) -> float:
        """Export it as the program does."""
        self._queue()
        began = own_seconds()
        seconds = self._seconds(lambda: app.export(self._settings, _EVERYTHING, again=False))
        self.own_seconds.append(own_seconds() - began)
        return seconds

    def plain_parquet(self) -> float:
        """Write the same files by the same way, without Iceberg."""
        self._queue()
        seconds = self._seconds(self._write_files)
        with self._place.connection.transaction():
            changes = feed.pending(self._place.connection, _EVERYTHING, self._place.batch_days)
        feed.acknowledge(self._place.connection, changes)
        return seconds

    def parquet_writer(self) -> float:
        """Write the same rows, ready in Arrow, to Parquet in memory."""
        tables = [rows for name in TABLES for rows in self._arrow(name)]

        def write() -> None:
            for rows in tables:
                file = pa.BufferOutputStream()
                with pq.ParquetWriter(file, rows.schema, **PARQUET_OPTIONS) as writer:
                    writer.write_table(rows, row_group_size=ROWS_PER_GROUP)

        return self._seconds(write)

    def files(self, name: str) -> list[Any]:
        """Return the data files that a table has of the day."""
        table = self._place.tables.load(name)
        assert table is not None
        where = f"business_day = '{self._day.first}'" if TABLES[name].day else "true"
        return [task.file for task in table.scan(row_filter=where).plan_files()]

    def _arrow(self, name: str) -> list[pa.Table]:
        table = self._place.tables.load(name)
        assert table is not None
        inputs = [table.io.new_input(file.file_path) for file in self.files(name)]
        return [pq.ParquetFile(one.open()).read() for one in inputs]

    def _queue(self) -> None:
        connection = self._place.connection
        with connection.transaction():
            feed.queue_all(connection, self._day)

    def _write_files(self) -> None:
        place = self._place
        columns = stored_columns(place.connection, place.personal)
        tables = place.tables.follow(columns)
        with batch.snapshot(place.connection) as time:
            changes = feed.pending(place.connection, _EVERYTHING, place.batch_days)
            made = Batch("plain", time, changes, is_complete=True, columns=columns)
            batch.write_files(place, made, tables, Watch())

    def _seconds(self, work: Callable[[], object]) -> float:
        began = self._clock()
        work()
        sleep(_UNTIL_COUNTED_SECONDS)
        return self._clock() - began
