"""Ledger entries of objects that no batch loads: outdated or refused as a whole."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from consumer.drift.findings import Finding
from consumer.load import statements
from consumer.load.database import borrowed
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey, ErpKey, parse_key
from schemas.registry import Source


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
    findings: tuple[Finding, ...] | None = None  # None of a document that was not read


# Writes an entry; idempotent; raises ConsumerError when it was not committed.
RecordEntry = Callable[[Entry], Awaitable[None]]


def source_of(event: ObjectEvent) -> Source | None:
    """Return the source that an object's key names, or None."""
    key = parse_key(event.key)
    if isinstance(key, ApiKey):
        return key.source
    return Source.ERP if isinstance(key, ErpKey) else None


async def record_entry(pool: AsyncConnectionPool, entry: Entry) -> None:
    """Write an entry; idempotent. Raises ConsumerError when it was not committed."""
    async with borrowed(pool) as session:
        cursor = await session.execute(statements.fixed("record_object"), _parameters(entry))
        recorded = await cursor.fetchone()
        if recorded and entry.findings is not None:
            findings = Jsonb([asdict(finding) for finding in entry.findings])
            await session.execute(
                "SELECT record_findings(ARRAY[%s], ARRAY[%s])", (recorded[0], findings)
            )


async def count_recent_failures(pool: AsyncConnectionPool, objects: int) -> int:
    """Return how many of the objects that ended last could not be loaded."""
    async with borrowed(pool) as session:
        statement = statements.fixed("count_recent_failures")
        row = await (await session.execute(statement, {"objects": objects})).fetchone()
    return int(row[0]) if row else 0


def _parameters(entry: Entry) -> dict[str, object]:
    key = parse_key(entry.event.key)
    day = key if isinstance(key, ApiKey) else None
    return (
        asdict(entry.event)
        | asdict(entry)
        | {
            "object_key": entry.event.key,
            "source": source_of(entry.event),
            "store_id": day and day.store_id,
            "bus_dt": day and day.bus_dt,
        }
    )
