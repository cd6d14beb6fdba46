"""Loading again: what was sent again must cost what changed, and an unchanged row stays as it is.

In CPU-seconds of this process and of PostgreSQL, as shares of the first load of the same run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from bench.corrections import asked_again
from bench.databases import TABLES, Server
from bench.documents import WRITTEN_AT, Document
from bench.loading import load_seconds
from bench.loading_cpu import LoadingCpu
from bench.timing import REPEATS, Seconds
from consumer.settings import DatabaseSettings

# What is sent again, by name, in this order into one database
_CORRECTIONS: Mapping[str, dict[str, Any]] = {
    "unchanged": {},
    "one_amount": {"amount": True},
    "1_percent": {"one_in": 100},
    "10_percent": {"one_in": 10},
    "100_percent": {"one_in": 1},
}
# Told of an unchanged check: when and by which document it was sent last.
_DATES = ("as_of", "latest_credible", "object_id", "digest_object_id")


@dataclass(frozen=True, slots=True)
class Reloads:
    """CPU-seconds of first loads, with and without asking what stands, and of each reload.

    `unchanged_rows` are those of which more than the dates changed in an unchanged reload.
    """

    first: Seconds
    first_in_full: Seconds
    again: Mapping[str, Seconds]
    unchanged_rows: int


def measure(server: Server, documents: Sequence[Document]) -> Reloads:
    """Load some days, then the answers to the same requests an hour later, and later again.

    Args:
        server: Where.
        documents: The answers of some days.
    """
    first, in_full = [], []
    again: dict[str, list[float]] = {name: [] for name in _CORRECTIONS}
    unchanged_rows = 0
    original = asked_again(documents, WRITTEN_AT)
    for _ in range(REPEATS):
        with server.fresh("bench_in_full") as database:
            clock, items = LoadingCpu(database).seconds, [item.fetched() for item in original]
            in_full.append(load_seconds(database, items, clock, in_full=True))
        with server.fresh("bench_reload") as database:
            clock = LoadingCpu(database).seconds
            first.append(load_seconds(database, [item.fetched() for item in original], clock))
            for hours, (name, correction) in enumerate(_CORRECTIONS.items(), 1):
                at = WRITTEN_AT + timedelta(hours=hours)
                items = [item.fetched(at) for item in asked_again(documents, at, **correction)]
                before = _rows(database) if name == "unchanged" else set()
                again[name].append(load_seconds(database, items, clock))
                if name == "unchanged":
                    unchanged_rows = max(unchanged_rows, len(_rows(database) - before))
    reloads = {name: Seconds(tuple(runs)) for name, runs in again.items()}
    return Reloads(Seconds(tuple(first)), Seconds(tuple(in_full)), reloads, unchanged_rows)


def _rows(database: DatabaseSettings) -> set[tuple[str, str]]:
    """Return where rows are, and of checks, which are dated anew, what they say beside that."""
    found: set[tuple[str, str]] = set()
    with psycopg.connect(**database.conninfo) as connection:
        for name in TABLES:
            row = "xmin::text || ctid::text"
            if name == "guest_checks":
                row = f"(to_jsonb(t) - '{{{','.join(_DATES)}}}'::text[])::text"
            statement = f"SELECT '{name}', {row} FROM {name} AS t"  # noqa: S608 - ours
            found.update(connection.execute(statement.encode()).fetchall())
    return found
