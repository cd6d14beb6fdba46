"""A day's rows from PostgreSQL to a Parquet file, as a stream: memory does not follow the day.

COPY as CSV tells NULL (nothing) from an empty text (`""`), and writes each number with its digits.
"""

from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from psycopg import sql
from pyiceberg.io import FileIO

from lakehouse.copying import copied_pieces
from lakehouse.errors import Misfit
from lakehouse.feed import Connection
from lakehouse.tables import BUSINESS_DAY, DataTable

_BLOCK_BYTES = 4 * 2**20
ROWS_PER_GROUP = 122_880
PARQUET_OPTIONS: dict[str, Any] = {"compression": "zstd", "store_decimal_as_integer": True}

# By Arrow type: which of the values that PostgreSQL can hold do not fit.
_MISFITS = {
    "decimal": "{0} = 'NaN' OR abs({0}) >= 1e28 OR scale(trim_scale({0})) > 10",
    "date": "NOT isfinite({0}) OR {0} < '0001-01-01' OR {0} > '9999-12-31'",
    "timestamp": "NOT isfinite({0}) OR {0} < '0001-01-01' OR {0} >= '10000-01-01'",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A data file; `path` is None when the day has no rows."""

    path: str | None = None
    rows: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table's rows come from, and the Arrow schema of its files."""

    connection: Connection
    table: DataTable
    schema: pa.Schema


class Unreadable(Exception):
    """A value of a day does not fit; which one is not known yet."""

    def __init__(self, source: Source, day: date | None) -> None:
        super().__init__(source.table.name, day)
        self.source = source
        self.day = day


def write_day(source: Source, day: date | None, io: FileIO, path: str) -> Written:
    """Write the standing rows of a day to a Parquet file; none is made for a day without rows.

    Raises:
        Unreadable: a value does not fit; the transaction is of no use any more.
    """
    rows, size_bytes = 0, 0
    with ExitStack() as stack:
        stream = writer = None
        for batch in stack.enter_context(closing(_blocks(source, day))):
            if writer is None:
                stream = stack.enter_context(io.new_output(path).create(overwrite=True))
                writer = stack.enter_context(_writer(stream, source.schema))
            writer.write_batch(batch, row_group_size=ROWS_PER_GROUP)
            rows += batch.num_rows
        if stream is None or writer is None:
            return Written()
        writer.close()
        size_bytes = stream.tell()
    return Written(path, rows, size_bytes)


def _writer(stream: Any, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(stream, schema, **PARQUET_OPTIONS)


def _blocks(source: Source, day: date | None) -> Generator[pa.RecordBatch, None, None]:
    """Give the rows of a day in blocks of a few MiB; a larger row is a block of its own."""
    query = source.table.select(source.schema.names, day)
    copy_text = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(query)
    with source.connection.cursor() as cursor, cursor.copy(copy_text) as copy:
        for piece in copied_pieces(copy, _BLOCK_BYTES):
            yield _read(source, day, piece)


def _read(source: Source, day: date | None, block: bytearray) -> pa.RecordBatch:
    try:
        table = pc.read_csv(
            pa.py_buffer(block),
            read_options=pc.ReadOptions(
                column_names=source.schema.names, block_size=len(block) + 1, use_threads=False
            ),
            parse_options=pc.ParseOptions(newlines_in_values=True),
            convert_options=pc.ConvertOptions(
                column_types=source.schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
                timestamp_parsers=[pc.ISO8601],
            ),
        )
        [batch] = table.cast(source.schema).combine_chunks().to_batches()
        for column in batch.columns:
            if pa.types.is_decimal(column.type):
                column.validate(full=True)  # the reader does not look for too many digits
    except pa.ArrowInvalid as error:
        raise Unreadable(source, day) from error
    return batch


def explain_misfit(source: Source, day: date | None) -> Misfit:
    """Return the error that names the first value of a day that does not fit.

    Looks once more, so that the rows may be others by now.
    """
    for name, kind in zip(source.schema.names, source.schema.types, strict=True):
        tests = [test for word, test in _MISFITS.items() if str(kind).startswith(word)]
        if name == BUSINESS_DAY or not tests:
            continue
        column = sql.Identifier("t", name)
        query = sql.SQL("SELECT {}, {} {} AND {} AND ({}) LIMIT 1").format(
            sql.SQL("left({}::text, 40)").format(column),
            sql.SQL(", ").join(sql.Identifier("t", key) for key in source.table.order),
            source.table.rows,
            source.table.of_day(day),
            sql.SQL(tests[0]).format(column),
        )
        if row := source.connection.execute(query).fetchone():
            return _misfit(source.table, name, kind, row)
    where = f"of {day}" if day else "without a day"
    return Misfit(f"{source.table.name}: a row {where} could not be read; run the export again")


def _misfit(table: DataTable, column: str, kind: Any, row: tuple[Any, ...]) -> Misfit:
    key = ", ".join(f"{name} {value}" for name, value in zip(table.order, row[1:], strict=True))
    return Misfit(
        f"{table.name}.{column} does not fit {kind}: {row[0]} ({key}); nothing of its batch was "
        "exported. Correct it at the source, or in the table"
    )
