"""One transaction: the staged documents of a batch become rows, versions and ledger entries.

Every process takes its locks in this order, and each kind in the order of its keys, so that two
consumers that load the same things never wait in a circle:

1. keys of objects (advisory locks), so that one transaction at a time places a key's writes
2. rows of the ledger
3. items that are sold for the first time
4. checks; whoever holds a check's row alone writes its taxes, lines and patches
5. store-days; whoever holds a day's row alone writes the rows of its list
6. first and last dates of items, late: all batches of a store sell the same ones
7. drift findings
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

from psycopg import AsyncConnection

from consumer.drift.horizon import latest_credible
from consumer.errors import LeaseLost
from consumer.load import statements
from consumer.load.document import LoadRequest, StagedDocument
from consumer.rows import copy_text
from consumer.rows.tables import DETAIL_LINES, GUEST_CHECKS, LIST_TABLES, TAXES
from schemas.codes import State


async def load_batch(
    connection: AsyncConnection, requests: Sequence[LoadRequest]
) -> dict[int, State]:
    """Load documents of different object versions in one transaction.

    Idempotent: loading the same documents again changes nothing but the ledger.

    Returns:
        The end state of each document by its number.

    Raises:
        psycopg.Error: nothing of the batch was committed.
        LeaseLost: neither, because one document is not wanted any more.
    """
    documents = [request.document for request in requests]
    async with connection.transaction():
        await _copy(connection, requests)
        for step in ("lock_keys", "forget_unread", "register_objects"):
            await connection.execute(statements.fixed(step))
        holds_checks = any(document.frame.source.holds_checks for document in documents)
        if holds_checks:
            await _load_checks(connection)
        await connection.execute(statements.fixed("upsert_days"))
        await _load_lists(connection, documents)
        if holds_checks:
            await connection.execute(statements.fixed("widen_sold"))
        await connection.execute(statements.fixed("record_findings"))
        cursor = await connection.execute(
            statements.fixed("settle_objects"), {"list_sources": statements.LIST_SOURCES}
        )
        states = {number: State(state) for number, state in await cursor.fetchall()}
        if not all(request.is_wanted() for request in requests):
            raise LeaseLost("a lease was lost while its batch was loaded")
        return states


async def _copy(connection: AsyncConnection, requests: Sequence[LoadRequest]) -> None:
    pieces: dict[str, list[Iterable[bytes]]] = {"stage_documents": []}
    for request in requests:
        document = request.document
        pieces["stage_documents"].append([_document_row(request)])
        for stage, spool in document.rows.tables.items():
            pieces.setdefault(stage, []).append(spool.chunks())
    cursor = connection.cursor()
    for stage, chunks in pieces.items():
        async with cursor.copy(statements.copy_into(stage)) as copy:
            for chunk in chain.from_iterable(chunks):
                await copy.write(chunk)


def _document_row(request: LoadRequest) -> bytes:
    document, note = request.document, request.error_note
    identity, frame = document.identity, document.frame
    as_of = frame.as_of or identity.last_modified
    latest = latest_credible(identity.last_modified)
    event = identity.event
    values = (
        document.number,
        event.bucket,
        event.key,
        identity.version_id,
        identity.etag,
        event.sequencer,
        event.size_bytes,
        frame.source.value,
        frame.store_id,
        frame.bus_dt,
        min(as_of, latest),
        as_of,
        latest,
        identity.event_time,
        identity.received_at,
        identity.attempts,
        document.record_count,
        document.quarantined_count,
        document.alias_fingerprint,
        note.message if note else None,
        note.log_key if note else None,
    )
    days = "{" + ",".join(day.isoformat() for day in document.days) + "}"
    drift = document.drift
    as_json: tuple[Any, ...] = (
        frame.extra,
        asdict(document.gap) if document.gap else None,
        [asdict(finding) for finding in drift.findings],
        drift.record_counts,
        drift.field_counts,
    )
    row = [*copy_text.cells(values), days, *map(copy_text.json_cell, as_json)]
    return copy_text.line(row).encode()


async def _load_checks(connection: AsyncConnection) -> None:
    await connection.execute(statements.fixed("add_sold"))
    await connection.execute(statements.fixed("pick_winners"))
    await connection.execute(statements.for_table("upsert_checks", GUEST_CHECKS))
    patched = await _is_true(connection, "any_patches")
    if patched:
        await connection.execute(statements.fixed("add_patched_checks"))
        await connection.execute(statements.fixed("save_patches"))
    await connection.execute(statements.fixed("mark_applied"))
    if patched:
        await connection.execute(statements.fixed("add_patched_winners"))
        await connection.execute(statements.for_table("patch_checks", GUEST_CHECKS))
    for table in (TAXES, DETAIL_LINES):
        if patched:
            statement = statements.for_table("patch_children", table)
            await connection.execute(statement, {"table": table.name})
        await connection.execute(statements.for_table("remove_children", table))
        await connection.execute(statements.for_table("upsert_children", table))


async def _is_true(connection: AsyncConnection, question: str) -> bool:
    cursor = await connection.execute(statements.fixed(question))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _load_lists(connection: AsyncConnection, documents: Sequence[StagedDocument]) -> None:
    lists = [document for document in documents if document.frame.source in LIST_TABLES]
    if not lists:
        return
    await connection.execute(
        statements.fixed("mark_days_applied"), {"list_sources": statements.LIST_SOURCES}
    )
    for source in sorted({document.frame.source for document in lists}):
        for step in ("upsert_rows", "remove_rows"):
            statement = statements.for_table(step, LIST_TABLES[source])
            await connection.execute(statement, {"source": source.value})
