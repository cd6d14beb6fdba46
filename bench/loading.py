"""Drives the consumer's own loader: prepare in threads, batches in transactions, one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

from psycopg_pool import AsyncConnectionPool

from consumer.ingest.preparation import Preparation
from consumer.ingest.prepare import Fetched
from consumer.load.batcher import Batcher, BatchLimits, postgres_load
from consumer.load.database import open_pool
from consumer.load.document import LoadRequest
from consumer.load.standing import standing_records
from consumer.settings import ConsumerSettings, DatabaseSettings
from schemas.aliases import load_aliases

# Loads documents and returns the seconds to the last commit.
Load = Callable[[Sequence[Fetched]], Awaitable[float]]


def load_seconds(
    database: DatabaseSettings,
    documents: Iterable[Fetched],
    clock: Callable[[], float] = perf_counter,
) -> float:
    """Load documents with the consumer's defaults; return the seconds to the last commit.

    Args:
        database: Where.
        documents: What.
        clock: Tells the seconds; the wall's unless said.
    """

    async def once() -> float:
        async with loading(database, clock) as load:
            return await load(list(documents))

    return asyncio.run(once())


@asynccontextmanager
async def loading(
    database: DatabaseSettings, clock: Callable[[], float], *, in_full: bool = False
) -> AsyncIterator[Load]:
    """Wire what `consumer.app` wires, without queues and lake, and give what loads.

    `in_full`: what stands unchanged is read again.
    """
    settings = ConsumerSettings(
        **database.model_dump(), bucket_name="bench", queue_url="unused", dlq_url="unused"
    )
    async with open_pool(settings, settings.loader_connections + 1) as pool:
        await _open_sessions(pool, settings.loader_connections + 1)
        wait_seconds = settings.batch_max_wait_milliseconds / 1000
        limits = BatchLimits(settings.batch_max_rows, settings.batch_max_bytes, wait_seconds)
        loader = Batcher(postgres_load(pool), limits, settings.loader_connections)
        preparation = Preparation(
            load_aliases(),
            settings.max_decompressed_bytes,
            settings.decode_threads,
            None if in_full else standing_records(pool),
        )
        running = asyncio.create_task(loader.run(), name="load")

        async def load(documents: Sequence[Fetched]) -> float:
            began = clock()
            async with asyncio.TaskGroup() as group:
                for number, document in enumerate(documents):
                    group.create_task(_load(preparation, loader, document), name=f"load {number}")
            return clock() - began

        yield load
        running.cancel()


async def _open_sessions(pool: AsyncConnectionPool, count: int) -> None:
    """Open all sessions before anything is measured: the service keeps them for long."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(pool.connection())


async def _load(preparation: Preparation, loader: Batcher, document: Fetched) -> None:
    prepared = await preparation.prepare(document)
    assert not prepared.quarantined, prepared.quarantined[0]
    await loader.load(LoadRequest(prepared.document))
