"""An object version that stands loaded is not read again, unless it would be read otherwise."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consumer.aws.s3 import open_lake
from consumer.ingest.handler import Handler, Known, Ports
from consumer.ingest.in_hand import ByteBudget
from consumer.ingest.outcome import Done
from consumer.load.batcher import Batcher, BatchLimits, postgres_load
from consumer.load.database import open_pool
from consumer.load.ledger import answer_again, loaded_before, record_entry
from consumer.load.standing import standing_records
from consumer.settings import ConsumerSettings
from schemas.aliases import Aliases, load_aliases
from schemas.codes import State
from schemas.envelopes import ObjectEvent, created_body
from tests.conftest import Lake
from tests.support.consumer_fakes import NOON, delivery
from tests.support.migrated import with_tables
from tests.support.programs import query
from tests.support.samples import checks, full_check

KEY = "raw/erp/São João.json"
RECORDS = [full_check(number, refNote="n" * 1000) for number in range(20)]


class Service:
    """What handles messages, on a real lake, queue and database."""

    def __init__(self, environment: Mapping[str, str], lake: Lake) -> None:
        self._environment, self._lake = environment, lake
        fields = {name.lower(): value for name, value in environment.items()}
        self._settings = ConsumerSettings.model_validate(fields)
        self.event = self.put(*RECORDS)

    def put(self, *records: Any) -> ObjectEvent:
        """Write the object; return its event."""
        body = json.dumps(checks(*records)).encode()
        put = self._lake.s3.put_object(Bucket=self._lake.bucket, Key=KEY, Body=body)
        return ObjectEvent(
            *(self._lake.bucket, KEY, "ObjectCreated:Put", put.get("VersionId")),
            etag=put["ETag"].strip('"'),
            size_bytes=len(body),
            sequencer=f"{len(body):08X}",
            event_time=NOON,
        )

    def remove(self) -> None:
        """Delete the object, so that reading it would fail."""
        self._lake.s3.delete_object(Bucket=self._lake.bucket, Key=KEY)

    @asynccontextmanager
    async def handler(self, aliases: Aliases) -> AsyncIterator[Handler]:
        """Wire a handler as the service does."""
        settings = self._settings
        async with open_lake(settings, 1) as lake, open_pool(settings, 2) as pool:
            batcher = Batcher(postgres_load(pool), BatchLimits(10**6, 10**8, 0.001), 1)
            ports = Ports(
                lake,
                batcher,
                lambda entry: record_entry(pool, entry),
                loaded_before(pool, settings.layout),
                lambda _: True,
                Known(standing_records(pool), answer_again(pool, settings.layout)),
            )
            working = asyncio.create_task(batcher.run())
            yield Handler(settings, aliases, ports, ByteBudget(10**9))
            working.cancel()

    async def receive(self, *events: ObjectEvent, count: int = 1, aliases: str = "") -> list[Any]:
        """Handle a message for each event; say how each ended."""
        async with self.handler(load_aliases(aliases)) as handler:
            ends = []
            for event in events:
                message = delivery(created_body(event), receive_count=count)
                [outcome] = await handler.handle(message)
                ends.append(outcome.state if isinstance(outcome, Done) else outcome.error.code)
            return ends

    def ledger(self) -> tuple[Any, ...]:
        """Return all that the ledger says of the object but when."""
        [row] = query(
            self._environment,
            "SELECT to_jsonb(o) - ARRAY['committed_at', 'read_at'] FROM ingested_objects AS o",
        )
        return row


@pytest.fixture
def service(environment: dict[str, str], lake: Lake) -> Service:
    with_tables(environment)
    return Service(environment, lake)


async def test_what_stands_loaded_is_answered_and_its_row_says_what_loading_would_say(
    service: Service,
) -> None:
    """Also when the event comes from `publish`, whose time has no fractions and no version."""
    published = replace(service.event, version_id=None, sequencer=None, event_time=NOON)
    forced = replace(service.event, is_forced=True)
    assert [State.LOADED] * 2 == await service.receive(service.event, forced, count=2)
    [loaded_twice] = service.ledger()
    service.remove()
    assert [State.LOADED] * 2 == await service.receive(service.event, published, count=3)
    [answered] = service.ledger()
    assert {**loaded_twice, "attempts": 3} == answered
    assert ["object_missing"] == await service.receive(forced)


async def test_what_would_be_read_otherwise_or_placed_later_is_read(service: Service) -> None:
    event = service.event
    assert [State.LOADED] == await service.receive(event)
    service.remove()
    renames = '["*"]\n"guestChecks.tblName" = ["refNote"]'
    assert ["object_missing"] == await service.receive(event, aliases=renames)
    others = [
        replace(event, event_time=NOON + timedelta(milliseconds=1)),
        replace(event, sequencer=f"{event.sequencer}1"),
        replace(event, size_bytes=event.size_bytes and event.size_bytes + 1),
        replace(event, etag="0" * 32, version_id=None),
        replace(event, etag=None, version_id=None),
        replace(event, size_bytes=None),  # perhaps a small one
    ]
    assert ["object_missing"] * len(others) == await service.receive(*others)
    assert [State.LOADED] == await service.receive(event)


async def test_an_alias_file_that_changed_loads_the_object_again(
    service: Service, environment: dict[str, str]
) -> None:
    renames = '["*"]\n"guestChecks.tblName" = ["refNote"]'
    await service.receive(service.event)
    assert [State.LOADED] == await service.receive(service.event, aliases=renames)
    assert [("n" * 1000,)] == query(environment, "SELECT DISTINCT tbl_name FROM guest_checks")


async def test_a_version_of_which_a_later_write_is_known_is_read(
    service: Service, environment: dict[str, str]
) -> None:
    first = await service.receive(service.event)
    later = service.put(*RECORDS, full_check(99))
    assert [State.LOADED] * 2 == first + await service.receive(later)
    service.remove()
    assert ["object_missing", State.LOADED] == await service.receive(service.event, later)
    # As an older release leaves the row when it reads the object.
    query(environment, "UPDATE ingested_objects SET committed_at = now() RETURNING 1")
    assert ["object_missing"] == await service.receive(later)
