"""What happens to one message: announced objects in, outcomes out. Decides nothing about it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import structlog

from consumer.aws.s3 import Lake, Larger, Outdated, ReadLimits, StoredObject, held_bytes
from consumer.aws.sqs import Delivery
from consumer.causes import cause_of_records
from consumer.decoding.cutting import reading_fingerprint
from consumer.errors import ConsumerError, Internal, LeaseLost, Permanent, StorageUnavailable, where
from consumer.ingest.assembly import Prepared
from consumer.ingest.error_logs import records_invalid, write_error_log
from consumer.ingest.in_hand import ByteBudget, InHand
from consumer.ingest.outcome import Done, Failed, Outcome
from consumer.ingest.preparation import LEAST_BYTES, Preparation
from consumer.ingest.prepare import Fetched
from consumer.ingest.routing import route
from consumer.load.batcher import Batcher
from consumer.load.document import ChangedMeanwhile, Identity, LoadRequest
from consumer.load.ledger import AnswerAgain, Entry, RecordEntry
from consumer.load.standing import FindStanding
from consumer.metrics import LAG_SECONDS, STAGE_SECONDS
from consumer.settings import ConsumerSettings
from consumer.spool import Spool
from schemas.aliases import Aliases
from schemas.codes import ErrorCode, State
from schemas.envelopes import EventMalformed, Ignored, ObjectEvent, decode_body
from schemas.registry import Source

log = structlog.get_logger()

_ASSUMED_BYTES = 64 * 1024  # of an object whose event gives no size
_READ_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Known:
    """Asks the tables what need not be read."""

    find_standing: FindStanding
    answer_again: AnswerAgain


@dataclass(frozen=True, slots=True)
class Ports:
    """What the handler works with."""

    lake: Lake
    batcher: Batcher
    record: RecordEntry
    was_loaded: Callable[[ObjectEvent], Awaitable[bool]]  # it, or its like
    is_held: Callable[[Delivery], bool]  # whether its message is certainly still ours
    known: Known | None = None  # None: everything is read in full


@dataclass
class Handler:
    """Ingests the objects that messages announce."""

    settings: ConsumerSettings
    aliases: Aliases
    ports: Ports
    byte_budget: ByteBudget
    in_hand: InHand = field(default_factory=InHand)

    def __post_init__(self) -> None:
        self._buckets = frozenset((self.settings.bucket_name, *self.settings.other_bucket_names))
        self._layout = self.settings.layout
        self._preparation = Preparation(
            self.aliases,
            self.settings.max_decompressed_bytes,
            self.settings.decode_threads,
            self.ports.known.find_standing if self.ports.known else None,
        )

    async def handle(self, delivery: Delivery) -> list[Outcome]:
        """Ingest every object of a message; idempotent.

        Raises:
            LeaseLost: while it waited for the batcher; nothing further was committed.
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
        except Permanent as error:
            return Failed(error, event, is_newcomer=await self._is_newcomer(event))
        except ConsumerError as error:
            return Failed(error, event)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - a bug: its message must not vanish
            return _bug(error, event)

    async def _ingest(self, event: ObjectEvent, delivery: Delivery) -> Outcome:
        limit = self.settings.max_object_bytes
        source, key = route(event, self._buckets, limit, self._layout)
        if await self._stands(event, source, delivery):
            return Done(State.LOADED)
        budgeted_bytes = _announced_bytes(event, self.settings.stream_above_bytes)
        for _ in range(_READ_ATTEMPTS):
            async with self.byte_budget.of(budgeted_bytes), self.in_hand.one() as ours:
                try:
                    stored = await self._fetch(event, budgeted_bytes)
                except Larger as error:
                    # The event gave no size, or a wrong one: take room for the real one.
                    budgeted_bytes = error.held_bytes
                    continue
                except Outdated:
                    entry = Entry(
                        event, State.SUPERSEDED, delivery.received_at, delivery.receive_count
                    )
                    await self.ports.record(entry)
                    return Done(State.SUPERSEDED)
                ours.is_streamed = isinstance(stored.data, Spool)
                identity = _identity(event, stored, delivery)
                return await self._load(Fetched(identity, source, key, stored.data), delivery)
        raise StorageUnavailable(f"s3://{event.bucket}/{event.key} changes while it is read")

    async def _stands(self, event: ObjectEvent, source: Source, delivery: Delivery) -> bool:
        """Ask whether this object version came before, and stands; then nothing has to be read.

        A newer one that is committed meanwhile does no harm: nothing is loaded here.
        """
        if self.ports.known is None or event.is_forced:
            return False
        if (event.size_bytes or 0) < LEAST_BYTES and delivery.receive_count == 1:
            return False  # nearly all are new, and small ones are read while the ledger answers
        read_as = reading_fingerprint(source, self.aliases)
        return await self.ports.known.answer_again(event, read_as, delivery.receive_count)

    async def _fetch(self, event: ObjectEvent, budgeted_bytes: int) -> StoredObject:
        most, memory = self.settings.max_object_bytes, self.settings.stream_above_bytes
        limits = ReadLimits(most, memory, budgeted_bytes)
        with STAGE_SECONDS.labels("fetch").time():
            return await self.ports.lake.fetch(event, limits)

    async def _load(self, fetched: Fetched, delivery: Delivery) -> Outcome:
        try:
            prepared = await self._preparation.prepare(fetched)
            return await self._load_prepared(prepared, delivery)
        except ChangedMeanwhile:
            # Another document changed, or a partial one patched, what stood when it was asked.
            prepared = await self._preparation.prepare(fetched, in_full=True)
            return await self._load_prepared(prepared, delivery)

    async def _load_prepared(self, prepared: Prepared, delivery: Delivery) -> Outcome:
        document, quarantined = prepared.document, prepared.quarantined
        event = document.identity.event
        is_wanted = partial(self.ports.is_held, delivery)
        if not quarantined:
            return Done(await self._commit(LoadRequest(document, is_wanted)))
        # The log is written first, so that the ledger never names one that does not exist.
        error = records_invalid(document, quarantined[0])
        log_key = await write_error_log(self.ports.lake, delivery, error, event, prepared)
        cause = cause_of_records(quarantined, document.frame.source.value)
        await self._commit(LoadRequest(document, is_wanted, str(error), log_key, cause))
        is_mostly_loaded = document.record_count > document.quarantined_count
        is_newcomer = await self._is_newcomer(event)
        return Failed(error, event, log_key, cause, is_mostly_loaded, is_newcomer)

    async def _commit(self, request: LoadRequest) -> State:
        with STAGE_SECONDS.labels("load").time():
            state = await self.ports.batcher.load(request)
        lag = datetime.now(UTC) - request.document.identity.event_time
        LAG_SECONDS.observe(max(0.0, lag.total_seconds()))
        return state

    async def _is_newcomer(self, event: ObjectEvent) -> bool:
        try:
            return not await self.ports.was_loaded(event)
        except ConsumerError:
            return False  # the dead letter waits for the database; a burst is not missed for it


def _bug(error: Exception, event: ObjectEvent) -> Failed:
    # Without its message, which may quote the document; the error log will have it.
    log.error("handler_failed", object_key=event.key, where=where(error))
    return Failed(Internal.of(error), event)


def _announced_bytes(event: ObjectEvent, memory_bytes: int) -> int:
    size_bytes = _ASSUMED_BYTES if event.size_bytes is None else event.size_bytes
    return held_bytes(size_bytes, memory_bytes, packed=event.key.endswith(".gz"))


def _identity(event: ObjectEvent, stored: StoredObject, delivery: Delivery) -> Identity:
    what = event, stored.version_id, stored.etag, stored.last_modified
    return Identity(*what, delivery.received_at, delivery.receive_count)
