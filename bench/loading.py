"""Drives the consumer's own loader: prepare in threads, batches in transactions, one process."""

import asyncio
from collections.abc import Iterable
from time import perf_counter

from consumer.loader import BatchLimits, Loader, postgres_load
from consumer.postgres import open_pool
from consumer.preparation import Fetched, prepare
from consumer.settings import ConsumerSettings, DatabaseSettings
from schemas.aliases import load_aliases


def load_seconds(database: DatabaseSettings, documents: Iterable[Fetched]) -> float:
    """Load documents with the consumer's default settings; return the seconds to the last commit."""
    return asyncio.run(_load(_settings(database), list(documents)))


def _settings(database: DatabaseSettings) -> ConsumerSettings:
    return ConsumerSettings(
        **database.model_dump(), bucket_name="bench", queue_url="unused", dlq_url="unused"
    )


async def _load(settings: ConsumerSettings, documents: list[Fetched]) -> float:
    async with open_pool(settings, settings.loader_connections) as pool:
        await pool.wait()
        wait_seconds = settings.batch_max_wait_milliseconds / 1000
        limits = BatchLimits(settings.batch_max_rows, settings.batch_max_bytes, wait_seconds)
        loader = Loader(postgres_load(pool), limits, settings.loader_connections)
        loading = asyncio.create_task(loader.run())
        slots = asyncio.Semaphore(settings.decode_threads)
        began = perf_counter()
        async with asyncio.TaskGroup() as group:
            for document in documents:
                group.create_task(_load_one(loader, slots, document, settings))
        seconds = perf_counter() - began
        loading.cancel()
        return seconds


async def _load_one(
    loader: Loader, slots: asyncio.Semaphore, document: Fetched, settings: ConsumerSettings
) -> None:
    async with slots:
        limit = settings.max_decompressed_bytes
        prepared = await asyncio.to_thread(prepare, document, load_aliases(), limit)
    assert not prepared.quarantined, prepared.quarantined[0]
    await loader.load(prepared.document)
