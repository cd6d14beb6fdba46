"""Loading again: what was sent again must cost what changed, and an unchanged row stays as it is.

In CPU-seconds of this process and of PostgreSQL, as shares of the first load of the same run.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from bench.corrections import asked_again
from bench.databases import TABLES, Server
from bench.documents import WRITTEN_AT, Document, store_days
from bench.loading import Load, loading
from bench.loading_cpu import LoadingCpu
from bench.timing import Seconds
from consumer.ingest.prepare import Fetched
from consumer.settings import DatabaseSettings

_ROUNDS = 5  # what the server does beside, such as vacuuming, falls now here, now there
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

    One service does all of it, and has loaded another day before: it runs for months.

    Args:
        server: Where.
        documents: The answers of some days.
    """
    rounds: list[dict[str, float]] = []
    for _ in range(_ROUNDS):
        found: dict[str, float] = {}
        with server.fresh("bench_in_full") as database:
            asyncio.run(_first(database, documents, found))
        with server.fresh("bench_reload") as database:
            asyncio.run(_round(database, documents, found))
        rounds.append(found)
    runs = {name: Seconds(tuple(found[name] for found in rounds)) for name in rounds[0]}
    reloads = {name: runs[name] for name in _CORRECTIONS}
    unchanged_rows = max(int(found["rows"]) for found in rounds)
    return Reloads(runs["first"], runs["in_full"], reloads, unchanged_rows)


async def _first(
    database: DatabaseSettings, documents: Sequence[Document], found: dict[str, float]
) -> None:
    async with loading(database, LoadingCpu(database).seconds, in_full=True) as load:
        await _warm(load)
        found["in_full"] = await load(_asked_at(documents, 0))


async def _round(
    database: DatabaseSettings, documents: Sequence[Document], found: dict[str, float]
) -> None:
    async with loading(database, LoadingCpu(database).seconds) as load:
        await _warm(load)
        found["first"] = await load(_asked_at(documents, 0))
        for hours, (name, correction) in enumerate(_CORRECTIONS.items(), 1):
            again = _asked_at(documents, hours, **correction)
            before = _rows(database) if name == "unchanged" else set()
            found[name] = await load(again)
            if name == "unchanged":
                found["rows"] = len(_rows(database) - before)


async def _warm(load: Load) -> None:
    """Let all sessions plan all statements, with a day that is not measured."""
    other = store_days(5)[-5:]
    for hours in range(3):
        await load(_asked_at(other, hours, one_in=10, amount=True))


def _asked_at(documents: Sequence[Document], hours: int, **correction: Any) -> list[Fetched]:
    at = WRITTEN_AT + timedelta(hours=hours)
    return [item.fetched(at) for item in asked_again(documents, at, **correction)]


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
