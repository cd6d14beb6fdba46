"""What happens to one message: announced objects in, outcomes out.

fetch → prepare → load, each with its own kinds of failure. Decides nothing about the message.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import structlog

from consumer.aws.s3 import Larger, Outdated, ReadLimits, StoredObject, held_bytes
from consumer.aws.sqs import Delivery
from consumer.errors import (
    ConsumerError,
    Internal,
    LeaseLost,
    Permanent,
    StorageUnavailable,
    where,
)
from consumer.ingest.byte_budget import ByteBudget
from consumer.ingest.error_logs import ErrorLogs, records_invalid
from consumer.ingest.outcome import Done, Failed, Outcome
from consumer.ingest.prepare import Fetched, Prepared, prepare
from consumer.ingest.routing import route
from consumer.load.document import ErrorNote, Identity, LoadRequest
from consumer.load.ledger import Entry, RecordEntry
from consumer.metrics import LAG_SECONDS, STAGE_SECONDS
from consumer.spool import Spool
from schemas.aliases import Aliases
from schemas.codes import ErrorCode, State
from schemas.envelopes import EventMalformed, Ignored, ObjectEvent, decode_body
from schemas.key_templates import OWN_LAYOUT, DocumentKey, Layout
from schemas.registry import Source

log = structlog.get_logger()

_ASSUMED_BYTES = 64 * 1024  # of an object whose event gives no size
_ADMISSIONS = 3


class Objects(Protocol):
    """Where announced objects are read."""

    async def fetch(self, event: ObjectEvent, limits: ReadLimits) -> StoredObject:
        """Read exactly the announced version; raise `Larger` beyond what was admitted."""


class Load(Protocol):
    """Brings a staged document into the tables."""

    async def load(self, request: LoadRequest) -> State:
        """Return the document's end state; raise ConsumerError when nothing was committed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the handler is configured with."""

    buckets: frozenset[str]
    aliases: Aliases
    max_object_bytes: int
    max_decompressed_bytes: int
    stream_above_bytes: int
    layout: Layout = OWN_LAYOUT


@dataclass(frozen=True, slots=True)
class Ports:
    """What the handler works with."""

    objects: Objects
    loader: Load
    logs: ErrorLogs
    record: RecordEntry
    is_held: Callable[[Delivery], bool]  # whether its message is certainly still ours


class Handler:
    """Ingests the objects that messages announce."""

    def __init__(
        self, rules: Rules, ports: Ports, byte_budget: ByteBudget, decode_slots: asyncio.Semaphore
    ) -> None:
        self._rules = rules
        self._ports = ports
        self._byte_budget = byte_budget
        self._decode_slots = decode_slots
        # A huge document takes its time; small ones pass it by.
        self._stream_slots = asyncio.Semaphore(1)

    async def handle(self, delivery: Delivery) -> list[Outcome]:
        """Ingest every object of a message; idempotent.

        Raises:
            LeaseLost: while it waited for the loader; nothing further was committed.
        """
        try:
            announced = decode_body(delivery.body)
        except EventMalformed as error:
            return [Failed(Permanent(ErrorCode.EVENT_MALFORMED, str(error)))]
        outcomes: list[Outcome] = []
        for item in announced:
            if isinstance(item, Ignored):
                log.debug("event_ignored", reason=item.reason, detail=item.detail)
                outcomes.append(Done(State.IGNORED))
            else:
                outcomes.append(await self._outcome(item, delivery))
        return outcomes

    async def _outcome(self, event: ObjectEvent, delivery: Delivery) -> Outcome:
        try:
            return await self._ingest(event, delivery)
        except Outdated:
            return await self._superseded(event, delivery)
        except ConsumerError as error:
            return Failed(error, event)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - a bug: its message must not vanish
            return _bug(error, event)

    async def _ingest(self, event: ObjectEvent, delivery: Delivery) -> Outcome:
        rules = self._rules
        source, key = route(event, rules.buckets, rules.max_object_bytes, rules.layout)
        admitted_bytes = _announced_bytes(event, rules.stream_above_bytes)
        for _ in range(_ADMISSIONS):
            async with self._byte_budget.of(admitted_bytes):
                try:
                    fetched = await self._fetch(event, source, key, delivery, admitted_bytes)
                except Larger as larger:
                    # The event gave no size, or a wrong one: take room for the real one.
                    admitted_bytes = larger.held_bytes
                    continue
                return await self._ingest_fetched(fetched, event, delivery)
        raise StorageUnavailable(f"s3://{event.bucket}/{event.key} changes while it is read")

    async def _ingest_fetched(
        self, fetched: Fetched, event: ObjectEvent, delivery: Delivery
    ) -> Outcome:
        return await self._load(await self._prepare(fetched), event, delivery)

    async def _fetch(
        self,
        event: ObjectEvent,
        source: Source,
        key: DocumentKey,
        delivery: Delivery,
        admitted_bytes: int,
    ) -> Fetched:
        rules = self._rules
        limits = ReadLimits(rules.max_object_bytes, rules.stream_above_bytes, admitted_bytes)
        with STAGE_SECONDS.labels("fetch").time():
            stored = await self._ports.objects.fetch(event, limits)
        return Fetched(_identity(event, stored, delivery), source, key, stored.data)

    async def _prepare(self, fetched: Fetched) -> Prepared:
        limit = self._rules.max_decompressed_bytes
        slots = self._stream_slots if isinstance(fetched.data, Spool) else self._decode_slots
        async with slots:
            with STAGE_SECONDS.labels("prepare").time():
                return await asyncio.to_thread(prepare, fetched, self._rules.aliases, limit)

    async def _load(self, prepared: Prepared, event: ObjectEvent, delivery: Delivery) -> Outcome:
        document, quarantined = prepared.document, prepared.quarantined
        is_wanted = partial(self._ports.is_held, delivery)
        if not quarantined:
            return Done(await self._commit(LoadRequest(document, is_wanted)))
        # The log is written first, so that the ledger never names one that does not exist.
        error = records_invalid(document, quarantined[0])
        log_key = await self._ports.logs.write(delivery, error, event, prepared)
        await self._commit(LoadRequest(document, is_wanted, ErrorNote(str(error), log_key)))
        return Failed(error, event, log_key, document.record_count > document.quarantined_count)

    async def _commit(self, request: LoadRequest) -> State:
        with STAGE_SECONDS.labels("load").time():
            state = await self._ports.loader.load(request)
        lag = datetime.now(UTC) - request.document.identity.event_time
        LAG_SECONDS.observe(max(0.0, lag.total_seconds()))
        return state

    async def _superseded(self, event: ObjectEvent, delivery: Delivery) -> Outcome:
        entry = Entry(event, State.SUPERSEDED, delivery.received_at, delivery.receive_count)
        try:
            await self._ports.record(entry)
        except ConsumerError as error:
            return Failed(error, event)
        return Done(State.SUPERSEDED)


def _bug(error: Exception, event: ObjectEvent) -> Failed:
    # Without its message, which may quote the document; the error log will have it.
    log.error("handler_failed", object_key=event.key, where=where(error))
    return Failed(Internal.of(error), event)


def _announced_bytes(event: ObjectEvent, memory_bytes: int) -> int:
    size_bytes = _ASSUMED_BYTES if event.size_bytes is None else event.size_bytes
    return held_bytes(size_bytes, memory_bytes, packed=event.key.endswith(".gz"))


def _identity(event: ObjectEvent, stored: StoredObject, delivery: Delivery) -> Identity:
    return Identity(
        event=event,
        version_id=stored.version_id,
        etag=stored.etag,
        last_modified=stored.last_modified,
        received_at=delivery.received_at,
        attempts=delivery.receive_count,
    )
