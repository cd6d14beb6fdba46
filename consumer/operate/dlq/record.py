"""What the tables know of the dead-letter queue, and what operators do to it, written down.

The queue itself decides: a row says what was seen or done last. Commands work without a database;
then nothing is written, and they say so.
"""

import getpass
import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from consumer.aws.sqs import Delivery, Depth
from consumer.causes import cause_of
from consumer.errors import ConsumerError, Internal, Permanent
from consumer.load import statements
from consumer.load.database import mapped, open_session
from consumer.load.ledger import cause_row
from consumer.operate.dlq.dead_letters import DeadLetter, Filters, announced
from consumer.settings import DatabaseSettings
from runtime.terminal import tell
from schemas.codes import ErrorCode
from schemas.keys import source_named

PROGRAM = "consumer dlq"
REPLAYED, PURGED = "replayed", "purged"


class Record:
    """Reads and writes the tables; a fault ends the writing, not the work."""

    def __init__(self, session: AsyncConnection[Any] | None) -> None:
        self._session = session

    async def present(self, depth: Depth) -> list[DeadLetter] | None:
        """Return what is on the queue; None when the tables do not agree with the queue's count."""
        rows = await self._rows("list_dead_letters")
        is_certain = not any(row.pop("is_unconfirmed") for row in rows)
        return [_listed(row) for row in rows] if is_certain and len(rows) == depth.total else None

    async def learn(
        self, found: Sequence[DeadLetter], began_at: datetime, *, is_complete: bool
    ) -> None:
        """Write down what a look saw and, if it saw all there is, what is gone."""
        for dead_letter in found:
            await self._run("note_dead_letter", _seen(dead_letter))
        if is_complete:
            seen = [dead_letter.id for dead_letter in found]
            await self._run("mark_gone", {"seen": seen, "began_at": began_at})

    @asynccontextmanager
    async def action(
        self, kind: str, filters: Filters, reason: str | None
    ) -> AsyncIterator["Action"]:
        """Write down an action before the block runs, and after it how it ended."""
        about: dict[str, Any] = {"kind": kind, "actor": actor(), "program": PROGRAM}
        about |= {"reason": reason, "filter": Jsonb(filters.told())}
        rows = await self._rows("begin_action", about)
        action = Action(self._run, rows[0]["action_id"] if rows else None)
        state, message = "interrupted", None
        try:
            yield action
            state = "done"
        except ConsumerError as error:
            state, message = "failed", str(error)
            raise
        finally:
            about = {"state": state, "error_message": message, "action_id": action.id}
            await self._run("end_action", about)

    async def _run(self, name: str, parameters: dict[str, Any]) -> None:
        await self._rows(name, parameters)

    async def _rows(self, name: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        if self._session is None:
            return []
        try:
            cursor = self._session.cursor(row_factory=dict_row)
            await cursor.execute(statements.fixed(name), parameters)
            return await cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            self._session = None
            _tell_why(mapped(error))
            return []


class Action:
    """One action: its messages are written down before they are touched, and after."""

    def __init__(
        self, run: Callable[[str, dict[str, Any]], Awaitable[None]], action_id: int | None
    ) -> None:
        self._run = run
        self.id = action_id

    async def plan(self, group: Sequence[DeadLetter], state: str) -> None:
        """Write what is about to be done.

        A replayed message may be loaded before we are told that it was sent: its row says so now.
        If it is not sent after all, it is seen on the queue by the next look.
        """
        for one in group:
            about = {"action_id": self.id, "message_id": one.id, "object_key": one.object_key}
            await self._run("note_dead_letter", _seen(one))
            await self._run("plan_item", about)
            if state == REPLAYED:
                await self._run("mark_left", about | {"state": state})

    async def done(self, one: DeadLetter, state: str) -> None:
        """Write what was done to one message."""
        about = {"action_id": self.id, "message_id": one.id, "state": state}
        await self._run("end_item", about)
        if state == PURGED:
            await self._run("mark_left", about)


@asynccontextmanager
async def open_record(settings: DatabaseSettings) -> AsyncIterator[Record]:
    """Hold the record; without a database that answers, one that knows and writes nothing.

    Nothing is told where no database is configured.
    """
    if not any(name.startswith("db_") for name in settings.model_fields_set):
        yield Record(None)
        return
    opened = open_session(settings)
    try:
        session = await opened.__aenter__()
    except ConsumerError as error:
        _tell_why(error)
        yield Record(None)
        return
    try:
        yield Record(session)
    finally:
        await session.close()


def actor() -> str:
    """Return who runs a command: user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may know no name for its user
        user = str(os.getuid())
    return f"{user}@{platform.node()}"


def _tell_why(error: ConsumerError) -> None:
    tell(f"the database is not asked, and nothing is written down there: {error}")


def _listed(row: dict[str, Any]) -> DeadLetter:
    # It was not received: it has no body and cannot be deleted by its handle.
    delivery = Delivery(row["id"], "", "", 0, datetime.now(UTC))
    return DeadLetter(delivery=delivery, **row)


def _seen(one: DeadLetter) -> dict[str, Any]:
    """Return what the tables learn from a message on the queue."""
    event = announced(one.delivery.body)
    source = source_named(one.object_key)
    is_known = one.error_code in set(ErrorCode) and not one.redriven
    error: ConsumerError = Internal(one.error_message)
    if is_known and (code := ErrorCode(one.error_code)) is not ErrorCode.INTERNAL:
        error = Permanent(code, one.error_message)
    cause = cause_of(error, source)
    return {
        "message_id": one.id,
        "original_id": one.original_id,
        "bucket": event and event.bucket,
        "version": event and (event.version_id or event.etag),
        "object_key": one.object_key,
        "error_code": one.error_code,
        "error_message": one.error_message,
        "error_log_key": one.error_log_key,
        "attempts": one.attempts,
        "redriven": one.redriven,
        "failed_at": one.failed_at,
        "sent_at": one.sent_at,
        "cause_code": cause.code,
        **cause_row(cause),
    }
