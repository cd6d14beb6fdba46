"""What counting drift costs: the time of a load with it and without it, step after step."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Any
from unittest.mock import patch

from bench.databases import Server
from bench.documents import Document
from bench.timing import Seconds, in_turns
from consumer.documents.readers import CheckReader, RowReader
from consumer.drift.shapes import Presences, Shapes
from consumer.ingest import prepare as preparation
from consumer.ingest.prepare import Knowledge, prepare
from consumer.load.database import open_pool
from consumer.load.document import LoadRequest
from consumer.load.field_counts import FieldCounts, share
from consumer.load.transaction import load_batch
from consumer.rows import fast_path as plain_rows
from consumer.settings import DatabaseSettings
from schemas.aliases import load_aliases

_ROUNDS = 5
_BATCH = 10
_MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class DriftCost:
    """Time of loading the same documents with and without counting drift."""

    counting: Seconds
    without: Seconds

    @property
    def share(self) -> float:
        """What counting takes of a load; of the fastest rounds, which nothing disturbed."""
        return 1 - min(self.without.runs) / min(self.counting.runs)


def measure(server: Server, documents: Sequence[Document]) -> DriftCost:
    """Load documents with and without counting drift, in turns."""

    def counting() -> float:
        with server.fresh("bench_drift") as database:
            return asyncio.run(_seconds(database, documents))

    def without() -> float:
        with _without_counting():
            return counting()

    return DriftCost(*in_turns((counting, without), _ROUNDS))


async def _seconds(database: DatabaseSettings, documents: Sequence[Document]) -> float:
    """Prepare, load and learn, one batch after the other: no waiting, no second thread."""
    usual = FieldCounts()
    knowledge = Knowledge(load_aliases(), usual)
    async with open_pool(database, 2) as pool, pool.connection() as connection:
        await connection.set_autocommit(True)
        began = perf_counter()
        remaining = iter(documents)
        while batch := list(islice(remaining, _BATCH)):
            prepared = [prepare(one.fetched(), knowledge, _MAX_BYTES) for one in batch]
            await load_batch(connection, [LoadRequest(one.document) for one in prepared])
            for one in prepared:
                usual.learn(one.document, one.presences)
        await share(usual, pool)
        return perf_counter() - began


@contextmanager
def _without_counting() -> Iterator[None]:
    """Let a load do all but count: shapes that are known for other reasons stay known."""
    with ExitStack() as stack:
        for owner, name in (
            (Shapes, "count"),
            (plain_rows, "_count"),
            (Shapes, "count_check"),
            (CheckReader, "remember"),
            (RowReader, "remember"),
            (FieldCounts, "learn"),
        ):
            stack.enter_context(patch.object(owner, name, _nothing))
        stack.enter_context(patch.object(preparation, "find_drift", _no_drift))
        yield


def _nothing(*_arguments: Any, **_options: Any) -> None:
    pass


def _no_drift(*_arguments: Any) -> tuple[Counter[Any], Presences]:
    return Counter(), Presences(None, [])
