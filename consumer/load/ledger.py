"""Ledger entries of objects that no batch loads, and rows of what is dead-lettered."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from consumer.causes import Cause
from consumer.drift.findings import Finding
from consumer.errors import ConsumerError, Permanent
from consumer.load import statements
from consumer.load.database import borrowed
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey
from schemas.layouts import OWN_LAYOUT, DocumentKey, Layout

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """The end state of one announced object version."""

    event: ObjectEvent
    state: State
    received_at: datetime
    attempts: int
    error_code: ErrorCode | None = None
    error_message: str | None = None
    error_log_key: str | None = None
    cause: Cause | None = None
    findings: tuple[Finding, ...] | None = None  # None of a document that was not read


# Writes an entry; idempotent; raises ConsumerError when it was not committed.
RecordEntry = Callable[[Entry], Awaitable[None]]
# Asked with an event, what tells how its object would be read, and how often it was received
AnswerAgain = Callable[[ObjectEvent, bytes, int], Awaitable[bool]]


async def record_entry(
    pool: AsyncConnectionPool, entry: Entry, layout: Layout = OWN_LAYOUT
) -> None:
    """Write an entry; idempotent. Raises ConsumerError when it was not committed."""
    async with borrowed(pool) as session:
        parameters = _parameters(entry, layout)
        cursor = await session.execute(statements.fixed("record_object"), parameters)
        recorded = await cursor.fetchone()
        if recorded and entry.findings is not None:
            findings = Jsonb([asdict(finding) for finding in entry.findings])
            await session.execute(
                "SELECT record_findings(ARRAY[%s], ARRAY[%s])", (recorded[0], findings)
            )


def loaded_before(
    pool: AsyncConnectionPool, layout: Layout
) -> Callable[[ObjectEvent], Awaitable[bool]]:
    """Return the function that says whether an object's like was ever loaded.

    Of an answer, one of its endpoint and store; of an export, one under its key. It raises
    ConsumerError when the database could not be asked.
    """

    async def was_loaded(event: ObjectEvent) -> bool:
        async with borrowed(pool) as connection:
            cursor = await connection.execute(statements.fixed("was_loaded"), _place(event, layout))
            return await cursor.fetchone() is not None

    return was_loaded


def answer_again(pool: AsyncConnectionPool, layout: Layout) -> AnswerAgain:
    """Return the function that answers an event about what stands loaded, and says whether it did.

    It writes what loading the same object version again would write. It raises ConsumerError when
    that was not committed.
    """

    async def answer(event: ObjectEvent, read_as: bytes, attempts: int) -> bool:
        parameters = _place(event, layout) | {"read_as": read_as, "attempts": attempts}
        async with borrowed(pool) as session:
            cursor = await session.execute(statements.fixed("answer_again"), parameters)
            return await cursor.fetchone() is not None

    return answer


async def count_recent_failures(pool: AsyncConnectionPool, objects: int) -> int:
    """Return how many of the objects that ended last could not be loaded, newcomers left out.

    Raises:
        ConsumerError: the database could not be asked.
    """
    async with borrowed(pool) as session:
        statement = statements.fixed("count_recent_failures")
        row = await (await session.execute(statement, {"objects": objects})).fetchone()
    return int(row[0]) if row else 0


def _place(event: ObjectEvent, layout: Layout) -> dict[str, object]:
    key = layout.read(event.key)
    return asdict(event) | {
        "object_key": event.key,
        "source": key and key.source,
        "store_id": key and key.store_id,
        "bus_dt": key and key.bus_dt,
    }


def _parameters(entry: Entry, layout: Layout) -> dict[str, object]:
    return asdict(entry) | _place(entry.event, layout) | cause_row(entry.cause)


def cause_row(cause: Cause | None) -> dict[str, str | None]:
    """Return the columns of a cause, as parameters of a statement."""
    return {
        "cause": cause.id if cause else None,
        "cause_source": cause.source if cause else None,
        "cause_location": cause.location if cause else None,
        "cause_problem": cause.problem if cause else None,
    }


async def pruned_keys(
    session: AsyncConnection[Any], objects: Iterable[tuple[ObjectEvent, DocumentKey | None]]
) -> set[str]:
    """Return the keys of those that may have been pruned: nobody need miss their ledger rows.

    They are old answers of store-days that stand.

    Raises:
        psycopg.Error: PostgreSQL could not be asked.
    """
    answers = [(event, key) for event, key in objects if isinstance(key, ApiKey)]
    if not answers:
        return set()
    asked = {
        "keys": [event.key for event, _ in answers],
        "written": [event.event_time for event, _ in answers],
        "sources": [key.source.value for _, key in answers],
        "stores": [key.store_id for _, key in answers],
        "days": [key.bus_dt for _, key in answers],
    }
    cursor = await session.execute(statements.fixed("find_pruned"), asked)
    return {key for (key,) in await cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter that is about to be: sent by us, or moved by SQS under the id it has."""

    event: ObjectEvent | None
    cause: Cause
    error_message: str
    error_log_key: str
    original_id: str
    attempts: int
    failed_at: datetime
    message_id: str | None = None  # of one that SQS moves

    def parameters(self) -> dict[str, Any]:
        """Return what the statement needs."""
        event = self.event
        about = {
            "bucket": event and event.bucket,
            "object_key": event and event.key,
            "version": event and (event.version_id or event.etag),
        }
        own = {"cause": self.cause.id, "error_code": self.cause.code, **cause_row(self.cause)}
        return {**asdict(self), **about, **own}


class DeadLetterRows:
    """Writes the rows of what is dead-lettered: before it is sent, and after.

    A row never says that a message is on the queue before SQS took it. Killed in between, it stays
    `unconfirmed` until the message comes again, or until somebody looks at the queue.
    """

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def announce(self, letter: Letter) -> None:
        """Write that a message is about to become a dead letter; idempotent.

        Raises:
            Transient: the database did not take it; nothing may be sent.
        """
        try:
            async with borrowed(self._pool) as session:
                await session.execute(statements.fixed("announce_dead_letter"), letter.parameters())
        except Permanent as error:
            # What the table cannot hold must not stop its dead letter: a look at the queue tells.
            log.warning("dead_letter_refused", error_log_key=letter.error_log_key, code=error.code)

    async def confirm(self, error_log_key: str, message_id: str) -> None:
        """Write that SQS took it. Never fails: sent again, it would be there twice."""
        about = {"error_log_key": error_log_key, "message_id": message_id}
        try:
            async with borrowed(self._pool) as session:
                await session.execute(statements.fixed("confirm_dead_letter"), about)
        except ConsumerError as error:
            log.warning("dead_letter_unconfirmed", message_id=message_id, code=error.code)
