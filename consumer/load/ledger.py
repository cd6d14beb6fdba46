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
from schemas.key_templates import OWN_LAYOUT, Layout


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


async def count_recent_failures(pool: AsyncConnectionPool, objects: int) -> int:
    """Return how many of the objects that ended last could not be loaded."""
    async with borrowed(pool) as session:
        statement = statements.fixed("count_recent_failures")
        row = await (await session.execute(statement, {"objects": objects})).fetchone()
    return int(row[0]) if row else 0


def _parameters(entry: Entry, layout: Layout) -> dict[str, object]:
    key = layout.read(entry.event.key)
    return (
        asdict(entry.event)
        | asdict(entry)
        | {
            "object_key": entry.event.key,
            "source": key and key.source,
            "store_id": key and key.store_id,
            "bus_dt": key and key.bus_dt,
        }
    )
