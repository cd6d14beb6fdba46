"""Loading again: an unchanged day must rewrite nothing, a corrected one little."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from bench.databases import TABLES, Server
from bench.documents import WRITTEN_AT, Document
from bench.loading import load_seconds
from bench.timing import REPEATS, Seconds
from consumer.settings import DatabaseSettings

_LATER = WRITTEN_AT + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reloads:
    """What first loads and reloads took, and the rows that each rewrote."""

    first: Seconds
    unchanged: Seconds
    corrected: Seconds
    unchanged_rows: int
    corrected_rows: int


def measure(
    server: Server, documents: Sequence[Document], corrected: Sequence[Document]
) -> Reloads:
    """Load a day, load it again, and load its correction.

    Args:
        server: Where.
        documents: The answers of some days.
        corrected: The answers to the same requests an hour later.
    """
    first, unchanged, changed = [], [], []
    unchanged_rows = corrected_rows = 0
    for _ in range(REPEATS):
        with server.fresh("bench_reload") as database:
            first.append(load_seconds(database, [item.fetched() for item in documents]))
            before = _row_versions(database)
            unchanged.append(load_seconds(database, [item.fetched() for item in documents]))
            again = _row_versions(database)
            unchanged_rows = max(unchanged_rows, len(again - before))
            changed.append(load_seconds(database, [item.fetched(_LATER) for item in corrected]))
            corrected_rows = len(_row_versions(database) - again)
    return Reloads(
        Seconds(tuple(first)),
        Seconds(tuple(unchanged)),
        Seconds(tuple(changed)),
        unchanged_rows,
        corrected_rows,
    )


def _row_versions(database: DatabaseSettings) -> set[tuple[str, str, str]]:
    """Return table, place and writing transaction of every row: a rewritten row has new ones."""
    found: set[tuple[str, str, str]] = set()
    with psycopg.connect(**database.conninfo) as connection:
        for name in (*TABLES, "store_days"):
            statement = f"SELECT '{name}', ctid::text, xmin::text FROM {name}"  # noqa: S608 - ours
            found.update(connection.execute(statement.encode()).fetchall())
    return found
