"""One transaction: the staged documents of a batch become rows, versions and ledger entries.

The order of locks is the same in every process (keys, ledger rows, new items, checks, children,
days, items' dates, drift; each in key order), so two consumers that load the same checks do not
wait in a circle.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from psycopg import AsyncConnection

from consumer.documents.frames import Frame
from consumer.drift.findings import Finding
from consumer.errors import LeaseLost
from consumer.load import statements
from consumer.rows import copy_text
from consumer.rows.row_writer import StagedRows
from consumer.rows.tables import DETAIL_LINES, GUEST_CHECKS, LIST_TABLES, TAXES
from schemas.codes import State
from schemas.envelopes import ObjectEvent


@dataclass(frozen=True, slots=True)
class Identity:
    """Which object version a document is, and when it was written and received."""

    event: ObjectEvent
    version_id: str | None
    etag: str
    last_modified: datetime
    received_at: datetime
    attempts: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies the object version in the ledger."""
        return self.event.bucket, self.event.key, self.version_id or self.etag

    @property
    def event_time(self) -> datetime:
        """When the object was written, to the precision that is known."""
        return self.event.event_time or self.last_modified


@dataclass(frozen=True, slots=True)
class ErrorNote:
    """What the ledger says of a document with quarantined records."""

    message: str
    log_key: str


def _always() -> bool:
    return True


@dataclass(slots=True)
class StagedDocument:
    """One document, ready to load. `number` is unique in this process.

    `is_wanted` says whether its message is still ours; if not, it must not be committed.
    """

    number: int
    identity: Identity
    frame: Frame
    staged: StagedRows
    record_count: int = 0
    quarantined_count: int = 0
    keep_all: bool = False
    keep_ids: list[str] = field(default_factory=list)
    findings: dict[Finding, int] = field(default_factory=dict)
    error_note: ErrorNote | None = None
    is_wanted: Callable[[], bool] = _always


async def load_batch(
    connection: AsyncConnection, documents: Sequence[StagedDocument]
) -> dict[int, State]:
    """Load documents of different object versions in one transaction.

    Idempotent: loading the same documents again changes nothing but the ledger.

    Returns:
        The end state of each document by its number.

    Raises:
        psycopg.Error: nothing of the batch was committed.
        LeaseLost: neither, because one document is not wanted any more.
    """
    async with connection.transaction():
        await _copy(connection, documents)
        for step in ("lock_keys", "forget_unread", "register_objects"):
            await connection.execute(statements.fixed(step))
        holds_checks = any(document.frame.source.holds_checks for document in documents)
        if holds_checks:
            await _load_checks(connection)
        await _load_lists(connection, documents)
        if holds_checks:
            # Late: batches of one store sell the same items and would wait from here on.
            await connection.execute(statements.fixed("widen_sold"))
        if any(document.findings for document in documents):
            await connection.execute(statements.fixed("record_drift"))
        cursor = await connection.execute(
            statements.fixed("settle_objects"), {"list_sources": statements.LIST_SOURCES}
        )
        states = {number: State(state) for number, state in await cursor.fetchall()}
        if not all(document.is_wanted() for document in documents):
            raise LeaseLost("a lease was lost while its batch was loaded")
        return states


async def _copy(connection: AsyncConnection, documents: Sequence[StagedDocument]) -> None:
    pieces: dict[str, list[Iterable[bytes]]] = {"stage_documents": []}
    for document in documents:
        pieces["stage_documents"].append([_document_row(document)])
        for stage, spool in document.staged.tables.items():
            pieces.setdefault(stage, []).append(spool.chunks())
        if document.findings:
            pieces.setdefault("stage_drift", []).append([_drift_rows(document)])
    cursor = connection.cursor()
    for stage, chunks in pieces.items():
        async with cursor.copy(statements.copy_into(stage)) as copy:
            for chunk in chain.from_iterable(chunks):
                await copy.write(chunk)


def _document_row(document: StagedDocument) -> bytes:
    identity, frame, note = document.identity, document.frame, document.error_note
    event = identity.event
    keep_ids = "{" + ",".join(_array_element(value) for value in document.keep_ids) + "}"
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
        frame.as_of or identity.last_modified,
        identity.event_time,
        identity.received_at,
        identity.attempts,
        document.record_count,
        document.quarantined_count,
        document.keep_all,
        keep_ids,
        note.message if note else None,
        note.log_key if note else None,
    )
    row = [*copy_text.cells(values), copy_text.json_cell(frame.extra)]
    return copy_text.line(row).encode()


def _array_element(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _drift_rows(document: StagedDocument) -> bytes:
    rows = (
        copy_text.line(
            copy_text.cells((document.number, finding.path, finding.kind, count, finding.detail))
        )
        for finding, count in document.findings.items()
    )
    return "".join(rows).encode()


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
        statements.fixed("upsert_days"), {"list_sources": statements.LIST_SOURCES}
    )
    await connection.execute(statements.fixed("mark_days_applied"))
    gaps = {document.frame.source for document in lists if document.quarantined_count}
    for source in sorted(gaps):
        statement = statements.for_table("keep_gaps", LIST_TABLES[source])
        await connection.execute(statement, {"source": source.value})
    for source in sorted({document.frame.source for document in lists}):
        for step in ("upsert_rows", "remove_rows"):
            statement = statements.for_table(step, LIST_TABLES[source])
            await connection.execute(statement, {"source": source.value})
    if gaps:
        await connection.execute(statements.fixed("close_gaps"))
