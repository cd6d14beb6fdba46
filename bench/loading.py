"""Drives the consumer's own loader: prepare in threads, batches in transactions, one process."""

import asyncio
from collections.abc import Iterable
from time import perf_counter

from consumer.ingest.prepare import Fetched, prepare
from consumer.load.batcher import Batcher, BatchLimits, postgres_load
from consumer.load.database import open_pool
from consumer.load.document import LoadRequest
from consumer.settings import ConsumerSettings, DatabaseSettings
from schemas.aliases import load_aliases


def load_seconds(database: DatabaseSettings, documents: Iterable[Fetched]) -> float:
    """Load documents with the consumer's defaults; return the seconds to the last commit."""
    settings = ConsumerSettings(
        **database.model_dump(), bucket_name="bench", queue_url="unused", dlq_url="unused"
    )
    return asyncio.run(_Loading(settings).seconds(list(documents)))


class _Loading:
    """What `consumer.app` wires, without queues and lake."""

    def __init__(self, settings: ConsumerSettings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.decode_threads)

    async def seconds(self, documents: list[Fetched]) -> float:
        settings = self._settings
        async with open_pool(settings, settings.loader_connections) as pool:
            await pool.wait()
            wait_seconds = settings.batch_max_wait_milliseconds / 1000
            limits = BatchLimits(settings.batch_max_rows, settings.batch_max_bytes, wait_seconds)
            loader = Batcher(postgres_load(pool), limits, settings.loader_connections)
            loading = asyncio.create_task(loader.run(), name="load")
            began = perf_counter()
            async with asyncio.TaskGroup() as group:
                for number, document in enumerate(documents):
                    group.create_task(self._load(loader, document), name=f"load {number}")
            seconds = perf_counter() - began
            loading.cancel()
            return seconds

    async def _load(self, loader: Batcher, document: Fetched) -> None:
        async with self._slots:
            limit = self._settings.max_decompressed_bytes
            prepared = await asyncio.to_thread(prepare, document, load_aliases(), limit)
        assert not prepared.quarantined, prepared.quarantined[0]
        await loader.load(LoadRequest(prepared.document))
