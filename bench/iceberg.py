"""The Iceberg copy: what an export costs beside its parts, what an idle one does, and its memory.

On a business day of a whole chain, in CPU-seconds of the program and of PostgreSQL; the lake is
LocalStack's, and what that uses is not counted.
"""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.queues import Queue
from resource import RUSAGE_CHILDREN, getrusage

from bench import chain_day
from bench.corrections import asked_again
from bench.databases import Server, row_counts
from bench.documents import WRITTEN_AT, Document
from bench.growing import batches_in_turns
from bench.iceberg_day import Day
from bench.loading import load_seconds
from bench.memory import peak_megabytes
from bench.timing import REPEATS, Seconds, in_turns
from consumer.settings import DatabaseSettings
from lakehouse import app, feed
from lakehouse.batch import Place
from lakehouse.feed import Selection
from lakehouse.settings import LakehouseSettings
from lakehouse.tables import TABLES

LINES = 1_000_000
_TIMEOUT_SECONDS = 600
_FEED_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Feed:
    """CPU-seconds of batches whose changes are noted for the lakehouse, and of such that are not.

    In sessions that have planned: the consumer's live for months.
    """

    noted: Seconds
    not_noted: Seconds

    @property
    def ratio(self) -> float:
        """What noting makes of a load's cost."""
        return self.noted.median / self.not_noted.median


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU-seconds of a day: of an export, alone and with PostgreSQL's, and of parts of it."""

    own: Seconds
    export: Seconds
    plain_parquet: Seconds
    parquet_writer: Seconds


@dataclass(frozen=True, slots=True)
class IcebergCopy:
    """What was measured of a day.

    `idle` is a run of the program when nothing had changed, `idle_objects` what it wrote.
    `corrected_share`: bytes written after the correction of a store-day, of all of its day's.
    """

    rows: dict[str, int]
    costs: Costs
    idle: Seconds
    idle_objects: int
    corrected_share: float
    peak_mb: float


def as_json(copy: IcebergCopy, feed_cost: Feed) -> dict[str, object]:
    """Return the named figures."""
    costs = copy.costs
    return {
        "lakehouse_vs_parquet_writer": _ratio(costs.own, costs.parquet_writer),
        "lakehouse_and_postgres_vs_parquet_writer": _ratio(costs.export, costs.parquet_writer),
        "lakehouse_vs_plain_parquet": _ratio(costs.export, costs.plain_parquet),
        "lakehouse_idle_seconds": round(copy.idle.median, 2),
        "lakehouse_idle_objects": copy.idle_objects,
        "lakehouse_corrected_bytes_share": round(copy.corrected_share, 3),
        "lakehouse_peak_mb": round(copy.peak_mb, 1),
        "lakehouse_rows": copy.rows,
        "load_with_feed": round(feed_cost.ratio, 3),
    }


def _ratio(over: Seconds, under: Seconds) -> float:
    return round(over.median / under.median, 3)


def measure_feed(server: Server) -> Feed:
    """Load the same batches into a database that notes changes and one that does not."""
    with server.fresh("bench_noted") as noted, server.fresh("bench_not_noted") as not_noted:
        with app.opened(_settings(noted)) as connection:
            feed.install(connection)
        return Feed(*asyncio.run(batches_in_turns((noted, not_noted), _FEED_ROUNDS)))


def measure(server: Server, documents: Sequence[Document], lines: int = LINES) -> IcebergCopy:
    """Export a chain's day, made of the first store-day of some, again and again."""
    first = documents[0]
    own = [one for one in documents if (one.store, one.day) == (first.store, first.day)]
    with server.fresh("bench_iceberg") as database:
        load_seconds(database, [one.fetched() for one in own])
        chain_day.spread(database, first.store, lines)
        rows = row_counts(database)
        other = [one.fetched() for one in documents if one.day != first.day]
        load_seconds(database, other)
        settings = _settings(database)
        app.init(settings)
        peak_mb = _peak_of_export(settings)
        with app.opened(settings) as connection, app.placed(settings, connection) as place:
            day = Day(settings, database, place, Selection(first.day, first.day))
            works = (day.export, day.plain_parquet, day.parquet_writer)
            export, plain, writer = in_turns(works)
            costs = Costs(Seconds(tuple(day.own_seconds)), export, plain, writer)
            idle, objects = _idle(settings, place)
            share = _corrected_share(database, day, own)
            return IcebergCopy(rows, costs, idle, objects, share, peak_mb)


def _settings(database: DatabaseSettings) -> LakehouseSettings:
    return LakehouseSettings(**database.model_dump(), bucket_name=os.environ["BUCKET_NAME"])


def _corrected_share(database: DatabaseSettings, day: Day, documents: Sequence[Document]) -> float:
    later = WRITTEN_AT + timedelta(hours=1)
    load_seconds(database, [one.fetched(later) for one in asked_again(documents, later, one_in=10)])
    written = app.export(_settings(database), Selection(), again=False)["bytes"]
    whole = sum(file.file_size_in_bytes for name in TABLES for file in day.files(name))
    return float(written / whole)


def _idle(settings: LakehouseSettings, place: Place) -> tuple[Seconds, int]:
    """Run the program when nothing changed; return its CPU-seconds, and the objects it wrote."""
    command = [sys.executable, "-m", "lakehouse", "export", "--json"]
    environment = os.environ | {"DB_NAME": settings.db_name}
    before = {stored.key for stored in place.lake.objects()}
    runs = []
    for _ in range(REPEATS):
        began = _children_seconds()
        result = subprocess.run(command, env=environment, capture_output=True, check=True)
        runs.append(_children_seconds() - began)
        assert json.loads(result.stdout)["batches"] == 0
    return Seconds(tuple(runs)), len({stored.key for stored in place.lake.objects()} - before)


def _children_seconds() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_of_export(settings: LakehouseSettings) -> float:
    """Export everything in a process of its own; return the most memory that it held, in MB."""
    context = multiprocessing.get_context("spawn")
    answers: Queue[float] = context.Queue()
    process = context.Process(target=_export, args=(settings, answers))
    process.start()
    peak_mb = answers.get(timeout=_TIMEOUT_SECONDS)
    process.join()
    return peak_mb


def _export(settings: LakehouseSettings, answers: "Queue[float]") -> None:
    app.export(settings, Selection(), again=False)
    answers.put(peak_megabytes())
