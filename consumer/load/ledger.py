"""Ledger entries of objects that no batch loads: outdated or refused as a whole."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from consumer.drift.findings import Finding
from consumer.load import statements
from consumer.load.database import mapped
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


def postgres_ledger(pool: AsyncConnectionPool) -> RecordEntry:
    """Return the function that writes entries through a pool."""

    async def record(entry: Entry) -> None:
        try:
            async with pool.connection() as connection:
                cursor = await connection.execute(
                    statements.fixed("record_object"), _parameters(entry)
                )
                recorded = await cursor.fetchone()
                if recorded and entry.findings is not None:
                    findings = Jsonb([asdict(finding) for finding in entry.findings])
                    await connection.execute(
                        "SELECT record_findings(ARRAY[%s], ARRAY[%s])", (recorded[0], findings)
                    )
        except psycopg.Error as error:
            raise mapped(error) from error

    return record


async def count_recent_failures(pool: AsyncConnectionPool, objects: int) -> int:
    """Return how many of the objects that ended last could not be loaded.

    Raises:
        ConsumerError: the database could not be asked.
    """
    try:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                statements.fixed("count_recent_failures"), {"objects": objects}
            )
            row = await cursor.fetchone()
    except psycopg.Error as error:
        raise mapped(error) from error
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
