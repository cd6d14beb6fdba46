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
8. dead letters of the batch's objects

What is not read is locked before what is new. Two batches with the same new check or day between
known ones may still meet, if one has left some unread: PostgreSQL ends one, and it loads again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain

from psycopg import AsyncConnection

from consumer.drift.horizon import latest_credible
from consumer.errors import LeaseLost
from consumer.load import statements
from consumer.load.document import ChangedMeanwhile, LoadRequest, StagedDocument
from consumer.rows import copy_text
from consumer.rows.row_writer import STAGE_PATCHES, STAGE_SOLD
from consumer.rows.tables import DETAIL_LINES, GUEST_CHECKS, LIST_TABLES, TAXES
from schemas.codes import State


async def load_batch(
    connection: AsyncConnection, requests: Sequence[LoadRequest], *, is_private: bool = False
) -> dict[int, State]:
    """Load documents of different object versions; return each one's end state by its number.

    Idempotent: loading the same documents again changes nothing but the ledger. `is_private`: the
    tables are the session's own, so that nobody else has to wait for what it loads.

    Raises:
        psycopg.Error, LeaseLost, ChangedMeanwhile: nothing of the batch was committed.
    """
    documents = [request.document for request in requests]
    async with connection.transaction():
        await _copy(connection, requests)
        if not is_private:
            await connection.execute(statements.fixed("lock_keys"))
        is_known = await _register(connection)
        # Of what was not read nothing is staged, and a statement about nothing costs its planning.
        staged = {stage for document in documents for stage in document.rows.tables}
        unread = [document for document in documents if document.unchanged_count]
        if STAGE_SOLD in staged:
            await connection.execute(statements.fixed("add_sold"))
        if any(document.frame.source.holds_checks for document in unread):
            await _refuse_changed(connection, "raise_unchanged")
        if staged & {GUEST_CHECKS.stage, STAGE_PATCHES}:
            await _load_checks(connection)
        if any(document.frame.source in LIST_TABLES for document in unread):
            await _refuse_changed(connection, "find_changed_days")
        await connection.execute(statements.fixed("upsert_days"))
        await _load_lists(connection, documents)
        if STAGE_SOLD in staged:
            await connection.execute(statements.fixed("widen_sold"))
        await connection.execute(statements.fixed("record_findings"))
        cursor = await connection.execute(
            statements.fixed("settle_objects"), {"list_sources": statements.LIST_SOURCES}
        )
        states = {number: State(state) for number, state in await cursor.fetchall()}
        if is_known:
            await connection.execute(statements.fixed("end_dead_letters"))
        if not all(request.is_wanted() for request in requests):
            raise LeaseLost("a lease was lost while its batch was loaded")
        return states


async def _copy(connection: AsyncConnection, requests: Sequence[LoadRequest]) -> None:
    documents = [_document_cells(request) for request in requests]
    columns = ", ".join(documents[0])
    lines = [copy_text.line(cells.values()).encode() for cells in documents]
    pieces: dict[str, list[Iterable[bytes]]] = {f"stage_documents ({columns})": [lines]}
    for request in requests:
        for stage, spool in request.document.rows.tables.items():
            pieces.setdefault(stage, []).append(spool.chunks())
    cursor = connection.cursor()
    for target, chunks in pieces.items():
        async with cursor.copy(f"COPY {target} FROM STDIN".encode()) as copy:
            for chunk in chain.from_iterable(chunks):
                await copy.write(chunk)


def _document_cells(request: LoadRequest) -> dict[str, str]:
    """Return a document's row of stage_documents by column."""
    document = request.document
    identity, event, frame = document.identity, document.identity.event, document.frame
    as_of = frame.as_of or identity.last_modified
    latest = latest_credible(identity.last_modified)
    values = {
        "doc_no": document.number,
        "bucket": event.bucket,
        "object_key": event.key,
        "version_id": identity.version_id,
        "etag": identity.etag,
        "sequencer": event.sequencer,
        "size_bytes": event.size_bytes,
        "source": frame.source.value,
        "store_id": frame.store_id,
        "bus_dt": frame.bus_dt,
        "as_of": min(as_of, latest),
        "sent_as_of": as_of,
        "latest_credible": latest,
        "event_time": identity.event_time,
        "received_at": identity.received_at,
        "attempts": identity.attempts,
        "records": document.record_count,
        "unchanged": document.unchanged_count,
        "quarantined": document.quarantined_count,
        "digest": _bytea(document.digest),
        "read_as": _bytea(document.read_as),
        "alias_fingerprint": document.alias_fingerprint,
        "error_message": request.error_message,
        "error_log_key": request.error_log_key,
        "cause": request.cause and request.cause.id,
        "days": "{" + ",".join(day.isoformat() for day in document.days) + "}",
    }
    as_json = {
        "extra": frame.extra,
        "gap": asdict(document.gap) if document.gap else None,
        "findings": [asdict(finding) for finding in document.drift.findings],
        "record_counts": document.drift.record_counts,
        "field_counts": document.drift.field_counts,
    }
    cells = dict(zip(values, copy_text.cells(values.values()), strict=True))
    return cells | {name: copy_text.json_cell(value) for name, value in as_json.items()}


def _bytea(value: bytes | None) -> str | None:
    return None if value is None else rf"\x{value.hex()}"


async def _register(connection: AsyncConnection) -> bool:
    """Give each document its ledger row; return whether any object version had one before."""
    cursor = await connection.execute(statements.fixed("forget_unread"))
    forgotten = await cursor.fetchall()
    cursor = await connection.execute(statements.fixed("register_objects"))
    is_known = any(known for (known,) in await cursor.fetchall())
    if not forgotten:
        return is_known
    objects, documents = map(list, zip(*forgotten, strict=True))
    places = {"objects": objects, "documents": documents}
    await connection.execute(statements.fixed("adopt_ends"), places)
    return True


async def _refuse_changed(connection: AsyncConnection, statement: str) -> None:
    """Take the locks under which what was not read is compared once more."""
    sources = {"list_sources": statements.LIST_SOURCES}
    cursor = await connection.execute(statements.fixed(statement), sources)
    if changed := {number for (number,) in await cursor.fetchall()}:
        raise ChangedMeanwhile(changed)


async def _load_checks(connection: AsyncConnection) -> None:
    await connection.execute(statements.fixed("pick_winners"))
    await connection.execute(statements.for_table("upsert_checks", GUEST_CHECKS))
    cursor = await connection.execute(statements.fixed("any_patches"))
    [patched] = await cursor.fetchone() or [False]
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


async def _load_lists(connection: AsyncConnection, documents: Sequence[StagedDocument]) -> None:
    lists = [document for document in documents if document.frame.source in LIST_TABLES]
    if not lists:
        return
    await connection.execute(
        statements.fixed("mark_days_applied"), {"list_sources": statements.LIST_SOURCES}
    )
    for source in sorted({one.frame.source for one in lists if not one.unchanged_count}):
        for step in ("upsert_rows", "remove_rows"):
            statement = statements.for_table(step, LIST_TABLES[source])
            await connection.execute(statement, {"source": source.value})
