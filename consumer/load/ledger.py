"""Ledger entries of objects that no batch loads: outdated, refused as a whole, or pruned."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from consumer.causes import Cause
from consumer.drift.findings import Finding
from consumer.load import statements
from consumer.load.database import borrowed
from consumer.load.dead_letter_rows import cause_row
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey
from schemas.layouts import OWN_LAYOUT, DocumentKey, Layout


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
