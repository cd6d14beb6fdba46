"""Loads what differs again: in one transaction of the real tables, from the lake's documents."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection

from consumer.ingest.assembly import Prepared
from consumer.load import statements
from consumer.load.database import is_conflict, mapped
from consumer.load.document import LoadRequest
from consumer.load.transaction import load_batch
from consumer.operate.proof.documents import LakeObject, Reading
from consumer.operate.verify.differences import Proof
from consumer.rows.tables import LIST_TABLES

_PORTION_BYTES = 16 << 20  # of rows
_ATTEMPTS = 8


async def repair(session: AsyncConnection[Any], reading: Reading, proof: Proof) -> list[str]:
    """Load the documents that speak of what differs, as if none of it had been loaded.

    Rows that no document says are deleted, but not those whose object is gone from the lake.

    Returns:
        The keys of objects that were left to `consumer reconcile`: they would be dead-lettered.

    Raises:
        ConsumerError: nothing was changed.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with session.transaction():
                return await _repair(session, reading, proof)
        except psycopg.Error as error:
            # Consumers are at work; whoever loads the same checks may have been first.
            if not is_conflict(error) or attempt == _ATTEMPTS:
                raise mapped(error) from error
    raise AssertionError


async def _repair(session: AsyncConnection[Any], reading: Reading, proof: Proof) -> list[str]:
    checks = sorted(proof.checks)
    asked = {
        "stores": [store for store, _ in checks],
        "guest_check_ids": [check_id for _, check_id in checks],
    }
    for step in ("forget_lines", "forget_taxes", "forget_patches", "forget_checks"):
        await session.execute(statements.fixed(step), asked)
    await session.execute(statements.fixed("forget_days"), _list_days(proof))
    for source, table in LIST_TABLES.items():
        if strays := [one.key for one in proof.strays(source)]:
            keys = {name: [key[name] for key in strays] for name in table.key}
            await session.execute(statements.for_table("forget_rows", table), keys)
    left: list[str] = []
    waiting: list[LoadRequest] = []
    size = 0
    async for found, read in reading.read_all(proof.objects):
        if not isinstance(read, Prepared) or (read.quarantined and not found.entry):
            if not found.entry:
                left.append(found.event.key)
            continue
        waiting.append(_request(found, read))
        size += read.document.rows.byte_count
        if size >= _PORTION_BYTES:
            await _load(session, waiting)
            waiting, size = [], 0
    await _load(session, waiting)
    await _adopt_rows(session, proof)
    return left


async def _adopt_rows(session: AsyncConnection[Any], proof: Proof) -> None:
    """Give list rows of documents that the ledger had lost their document again."""
    for source, table in LIST_TABLES.items():
        keys = [one.key for one in proof.objects if not one.entry and one.key.source is source]
        days = {((key.store_id or "").strip(), key.bus_dt) for key in keys}
        asked = {
            "source": source.value,
            "stores": [store for store, _ in days],
            "days": [day for _, day in days],
        }
        if days:
            await session.execute(statements.for_table("adopt_rows", table), asked)


def _list_days(proof: Proof) -> dict[str, list[Any]]:
    """Return the days of lists that are loaded again with all of their answers."""
    keys = {one.key for one in proof.objects if one.key.source in LIST_TABLES}
    days = [key for key in keys if key.store_id and key.bus_dt and proof.differs(key)]
    return {
        "sources": [key.source.value for key in days],
        "stores": [(key.store_id or "").strip() for key in days],
        "days": [key.bus_dt for key in days],
    }


def _request(found: LakeObject, read: Prepared) -> LoadRequest:
    entry = found.entry or {}
    return LoadRequest(
        read.document,
        error_message=entry.get("error_message"),
        error_log_key=entry.get("error_log_key"),
    )


async def _load(session: AsyncConnection[Any], requests: Sequence[LoadRequest]) -> None:
    if not requests:
        return
    await load_batch(session, requests)
    await session.execute(statements.fixed("empty_staging"))
