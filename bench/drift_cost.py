"""What counting drift costs: the time of a load with it and without it, step after step."""

import asyncio
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
from consumer.drift.findings import Drift
from consumer.drift.shapes import Shapes
from consumer.ingest import assembly
from consumer.ingest.prepare import prepare
from consumer.load.database import open_pool
from consumer.load.document import LoadRequest
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
        with without_counting():
            return counting()

    return DriftCost(*in_turns((counting, without), _ROUNDS))


async def _seconds(database: DatabaseSettings, documents: Sequence[Document]) -> float:
    """Prepare and load one batch after the other: no waiting, no second thread."""
    async with open_pool(database, 2) as pool, pool.connection() as connection:
        await connection.set_autocommit(True)
        aliases = load_aliases()
        began = perf_counter()
        remaining = iter(documents)
        while batch := list(islice(remaining, _BATCH)):
            prepared = [prepare(one.fetched(), aliases, _MAX_BYTES) for one in batch]
            await load_batch(connection, [LoadRequest(one.document) for one in prepared])
        return perf_counter() - began


@contextmanager
def without_counting() -> Iterator[None]:
    """Let a load do all but count: shapes that are known for other reasons stay known."""
    with ExitStack() as stack:
        for owner, name in (
            (Shapes, "count"),
            (plain_rows, "count"),
            (Shapes, "count_check"),
            (CheckReader, "remember"),
            (RowReader, "remember"),
        ):
            stack.enter_context(patch.object(owner, name, _nothing))
        stack.enter_context(patch.object(assembly, "find_drift", _no_drift))
        yield


def _nothing(*_arguments: Any, **_options: Any) -> None:
    pass


def _no_drift(*_arguments: Any) -> Drift:
    return Drift()
