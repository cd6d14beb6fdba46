"""Nothing is found in tables that nobody touched, whatever history they have."""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consumer.aws.s3 import ReadLimits, StoredObject
from consumer.ingest.prepare import Fetched, prepare
from consumer.operate.proof import means
from consumer.operate.verify.plan import Chosen
from consumer.operate.verify.verifying import Verdict, Verifying
from consumer.settings import ConsumerSettings
from schemas.envelopes import ObjectEvent
from schemas.keys import ERP_PREFIX, ApiKey, store_day_prefix
from tests.support.lake_loading import consumer_settings
from tests.support.samples import ALIASES, NO_LIMIT
from tests.support.scenarios import History, Version, histories
from tests.support.warehouse import Warehouse, open_warehouse

EXAMPLES = int(os.environ.get("TRUTH_EXAMPLES", "8"))

_runs = itertools.count(1)


class MemoryLake:
    """Answers as a bucket with versions does; what S3 itself says, other tests ask S3."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], Fetched] = {}

    def put(self, version: Version) -> Fetched:
        """Keep a version under a key of our layout; its event tells what the history's does."""
        known = version.fetched
        name = known.identity.event.key.removeprefix("raw/").replace("/", "-")
        folder = ERP_PREFIX
        if isinstance(known.key, ApiKey):
            folder = store_day_prefix(known.source, known.key.bus_dt, known.key.store_id)
        number = f"v{len(self._objects)}"
        event = replace(known.identity.event, key=folder + name, version_id=number)
        own = replace(known, identity=replace(known.identity, event=event, version_id=number))
        self._objects[event.key, number] = own
        return own

    async def fetch(self, event: ObjectEvent, _: ReadLimits) -> StoredObject:
        own = self._objects[event.key, event.version_id or ""]
        identity = own.identity
        assert isinstance(own.data, bytes)
        return StoredObject(own.data, identity.etag, identity.version_id, identity.last_modified)

    async def versions(self, prefix: str) -> AsyncIterator[list[ObjectEvent]]:
        yield [self._listed(one) for key, one in self._objects.items() if key[0].startswith(prefix)]

    async def folders(self, prefix: str) -> list[str]:
        keys = [key.removeprefix(prefix) for key, _ in self._objects if key.startswith(prefix)]
        return sorted({f"{key.partition('/')[0]}/" for key in keys})

    def _listed(self, one: Fetched) -> ObjectEvent:
        # A listing knows neither sequencer nor the time to the millisecond.
        identity = one.identity
        told = {"sequencer": None, "event_time": identity.last_modified, "etag": identity.etag}
        return replace(identity.event, **told)


def deliver(warehouse: Warehouse, lake: MemoryLake, history: History) -> None:
    objects = [lake.put(version) for version in history.versions]
    for session, numbers in history.batches:
        batch = [prepare(objects[number], ALIASES, NO_LIMIT).document for number in numbers]
        warehouse.load(*batch, session=session)


def verified(warehouse: Warehouse, own: ConsumerSettings, stores: set[str]) -> Verdict:
    verifying = Verifying(own, Chosen(frozenset(stores)), timedelta())
    warehouse.runner.run(verifying.run(lambda *_: None, lambda _: None))
    return verifying.verdict


def test_tables_that_nobody_touched_are_as_the_lake_says(
    database: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events come in any order, several times; the lake keeps every version of an object."""
    lake = MemoryLake()

    @asynccontextmanager
    async def open_lake(*_: object) -> AsyncIterator[MemoryLake]:
        yield lake

    monkeypatch.setattr(means, "open_lake", open_lake)
    unused = {"bucket_name": "lake", "queue_url": "unused", "dlq_url": "unused"}
    own = consumer_settings(database | unused)
    with open_warehouse(database) as warehouse:

        @settings(
            max_examples=EXAMPLES,
            phases=(Phase.generate,),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(st.data())
        def holds(data: st.DataObject) -> None:
            nonlocal lake
            lake = MemoryLake()
            warehouse.empty()
            history = data.draw(histories(f"v{next(_runs)}"))
            deliver(warehouse, lake, history)
            verdict = verified(warehouse, own, history.stores)
            assert [] == verdict.differences
            assert verdict.documents >= len({v.fetched.data for v in history.versions})

        holds()
