"""Proving store-days beside loading them for the first time, from a lake in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import cast

from bench.databases import Server
from bench.documents import BUCKET, Document
from bench.loading import load_seconds
from bench.timing import Seconds, in_turns
from consumer.aws.s3 import Lake, ReadLimits, StoredObject
from consumer.ingest.prepare import Fetched
from consumer.load.database import open_session
from consumer.operate.proof.documents import Reading
from consumer.operate.proof.free_documents import FreeDocuments
from consumer.operate.proof.listing import Listing
from consumer.operate.proof.means import Means
from consumer.operate.proof.scratch import open_scratch
from consumer.operate.verify.proving import prove
from consumer.settings import ConsumerSettings, DatabaseSettings
from schemas.aliases import load_aliases
from schemas.envelopes import ObjectEvent
from schemas.registry import Source


class _MemoryLake:
    """Answers as `Lake` does, so that only our own work and PostgreSQL's are measured."""

    def __init__(self, fetched: Sequence[Fetched]) -> None:
        self._objects = {one.identity.event.key: one for one in fetched}

    async def fetch(self, event: ObjectEvent, _: ReadLimits) -> StoredObject:
        found = self._objects[event.key]
        identity = found.identity
        return StoredObject(cast("bytes", found.data), identity.etag, None, identity.last_modified)

    async def versions(self, prefix: str) -> AsyncIterator[list[ObjectEvent]]:
        yield [_listed(one) for key, one in self._objects.items() if key.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class Proven:
    """Some store-days: the seconds of their proof, and of their first load."""

    proof: Seconds
    load: Seconds
    store_days: int

    @property
    def loaded_a_minute(self) -> float:
        """How many store-days one process loads a minute: what bounds `consumer rebuild`."""
        return self.store_days * 60 / self.load.median


def measure(server: Server, documents: Sequence[Document]) -> Proven:
    """Prove some store-days, and load them into an empty database, in turns."""
    fetched = [document.fetched() for document in documents]

    def first_load() -> float:
        with server.fresh("bench_first") as database:
            return load_seconds(database, [document.fetched() for document in documents])

    with server.fresh("bench_verify") as database:
        load_seconds(database, [document.fetched() for document in documents])
        proof, load = in_turns((lambda: asyncio.run(_prove_seconds(database, fetched)), first_load))
    return Proven(proof, load, len({(one.key.store_id, one.key.bus_dt) for one in fetched}))


async def _prove_seconds(database: DatabaseSettings, fetched: Sequence[Fetched]) -> float:
    settings = ConsumerSettings(
        **database.model_dump(), bucket_name=BUCKET, queue_url="unused", dlq_url="unused"
    )
    lake = cast("Lake", _MemoryLake(fetched))
    sources = list(Source)
    places = {(one.key.store_id or "", one.key.bus_dt) for one in fetched}
    began = perf_counter()
    async with open_scratch(database) as session, open_session(database) as later:
        reading = Reading(settings, lake, load_aliases())
        free = FreeDocuments(session, lake, settings.layout, reading, frozenset(), sources)
        listing = Listing(lake)
        means = Means(session, later, listing, reading, free, BUCKET, sources, timedelta())
        proof = await prove(means, sorted(places, key=str))
    assert not proof.differences, proof.differences[0]
    assert len(fetched) == proof.documents
    return perf_counter() - began


def _listed(one: Fetched) -> ObjectEvent:
    event, etag = one.identity.event, one.identity.etag
    return ObjectEvent(
        event.bucket, event.key, event.event_name, None, etag, event.size_bytes, None,
        event.event_time,
    )  # fmt: skip
