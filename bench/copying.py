"""The limit: raw COPY of the very same rows, ready as bytes, into the same tables."""

from time import perf_counter

import psycopg
from psycopg import sql

from bench.databases import TABLES
from consumer.settings import DatabaseSettings

RowWriter = dict[str, bytes]


def rows_of(database: DatabaseSettings) -> RowWriter:
    """Return what a loaded database holds, as COPY text by table."""
    with psycopg.connect(**database.conninfo) as connection:
        return {name: _copied_out(connection, name) for name in TABLES}


def copy_seconds(database: DatabaseSettings, rows: RowWriter) -> float:
    """Copy all rows in one transaction, a single COPY for each table; return the seconds."""
    with psycopg.connect(**database.conninfo) as connection:
        began = perf_counter()
        with connection.transaction():
            for name, data in rows.items():
                statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))
                with connection.cursor().copy(statement) as copy:
                    copy.write(data)
        return perf_counter() - began


def _copied_out(connection: psycopg.Connection, name: str) -> bytes:
    statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))
    with connection.cursor().copy(statement) as copy:
        return b"".join(bytes(chunk) for chunk in copy)
