"""Dead-lettering what cannot be loaded: an error log object first, then the dead-letter queue.

A crash between any two steps loses nothing: the message is deleted last, and a repeated attempt
writes the same log object again. It may send a second dead letter; a replay of it changes nothing.
The row of a dead letter is written before it is sent, as unconfirmed, and completed after.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from consumer.aws.s3 import Lake
from consumer.aws.sqs import ORIGINAL_ID, Delivery, Queue
from consumer.causes import Cause, cause_of
from consumer.errors import Permanent
from consumer.ingest.error_logs import write_error_log
from consumer.ingest.outcome import Failed
from consumer.load.ledger import Entry, Letter, RecordEntry
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent, created_body
from schemas.layouts import OWN_LAYOUT, Layout

log = structlog.get_logger()

_ATTRIBUTE_CHARACTERS = 1000
_DEAD_LETTER_BYTES = 1_000_000  # SQS takes a mebibyte, attributes included
# Amazon SQS API Reference, SendMessage: what a message may contain
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Rows(Protocol):
    """The rows of dead letters."""

    async def announce(self, letter: Letter) -> None:
        """Write that a message is about to become a dead letter, or raise Transient."""

    async def confirm(self, error_log_key: str, message_id: str) -> None:
        """Write that SQS took it; never fails."""


class DeadLetters:
    """Writes down what failed: error log, ledger, dead-letter queue.

    Calls are safe to repeat, and raise `Transient` when S3, SQS or PostgreSQL is not available.
    """

    def __init__(
        self,
        queue: Queue,
        lake: Lake,
        record: RecordEntry,
        rows: Rows,
        layout: Layout = OWN_LAYOUT,
    ) -> None:
        self._queue = queue
        self._lake = lake
        self._record = record
        self._rows = rows
        self._layout = layout

    async def send(self, delivery: Delivery, failed: Failed, *, alone: bool) -> None:
        """Dead-letter one failed record; if it is the message's only one, its body is kept."""
        log_key = await self._log_and_enter(delivery, failed)
        body = _dead_letter_body(delivery.body, failed.event, alone=alone)
        await self._rows.announce(self._letter(delivery, failed, log_key))
        message_id = await self._queue.send(body, _attributes(delivery, failed, log_key))
        await self._rows.confirm(log_key, message_id)
        _tell("object_dead_lettered", failed, log_key)

    async def note(self, delivery: Delivery, failed: Failed, *, is_last: bool) -> None:
        """Note a failure whose message goes back to the queue; only the last attempt is an end."""
        log_key = None
        if is_last:
            log_key = await self._log_and_enter(delivery, failed)
            letter = self._letter(delivery, failed, log_key)
            await self._rows.announce(replace(letter, message_id=delivery.message_id))
        elif failed.error.code is ErrorCode.INTERNAL:
            log_key = await write_error_log(self._lake, delivery, failed.error, failed.event)
        receives = delivery.receive_count
        _tell("object_retried", failed, log_key, receive_count=receives, last=is_last)

    async def ignore(self, delivery: Delivery, failed: Failed) -> None:
        """Enter a failure that the policy ignores into the ledger."""
        await self._enter(delivery, failed, State.IGNORED)
        _tell("failure_ignored", failed, None)

    async def _log_and_enter(self, delivery: Delivery, failed: Failed) -> str:
        if failed.log_key is not None:
            # With the good records of its document.
            return failed.log_key
        log_key = await write_error_log(self._lake, delivery, failed.error, failed.event)
        await self._enter(delivery, failed, State.DEAD_LETTERED, log_key)
        return log_key

    async def _enter(
        self, delivery: Delivery, failed: Failed, state: State, log_key: str | None = None
    ) -> None:
        if failed.event is None:
            return  # only objects have a ledger row
        entry = Entry(
            event=failed.event,
            state=state,
            received_at=delivery.received_at,
            attempts=delivery.receive_count,
            error_code=failed.error.code,
            error_message=_attribute(str(failed.error)),
            error_log_key=log_key,
            cause=self._cause(failed),
            findings=failed.error.findings if isinstance(failed.error, Permanent) else None,
        )
        try:
            await self._record(entry)
        except Permanent as error:
            # An identity that the ledger cannot hold must not stop its dead letter.
            log.warning("ledger_refused", object_key=failed.event.key, code=error.code)

    def _letter(self, delivery: Delivery, failed: Failed, log_key: str) -> Letter:
        return Letter(
            event=failed.event,
            cause=self._cause(failed),
            error_message=_attribute(str(failed.error)),
            error_log_key=log_key,
            original_id=delivery.original_id,
            attempts=delivery.receive_count,
            failed_at=datetime.now(UTC),
        )

    def _cause(self, failed: Failed) -> Cause:
        if failed.cause is not None:
            return failed.cause
        key = self._layout.read(failed.event.key) if failed.event else None
        return cause_of(failed.error, key.source.value if key and key.source else None)


def _dead_letter_body(body: str, event: ObjectEvent | None, *, alone: bool) -> str:
    """Return a dead letter's body: as it came, if that is about this record only and fits."""
    raw = body.encode(errors="replace")
    fits = len(raw) <= _DEAD_LETTER_BYTES
    if event is not None and not (alone and fits):
        return created_body(event)
    return body if fits else raw[:_DEAD_LETTER_BYTES].decode(errors="ignore")


def _attributes(delivery: Delivery, failed: Failed, log_key: str) -> Mapping[str, str]:
    values = {
        "ErrorCode": failed.error.code.value,
        "ErrorMessage": str(failed.error),
        "ErrorLogKey": log_key,
        "ObjectKey": failed.event.key if failed.event else "",
        "FailedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "Attempts": str(delivery.receive_count),
        ORIGINAL_ID: delivery.original_id,
    }
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(text: str) -> str:
    """Keep what SQS allows in an attribute, and not too much of it."""
    return _NOT_ALLOWED.sub("?", text[:_ATTRIBUTE_CHARACTERS])


def _tell(event: str, failed: Failed, log_key: str | None, **more: object) -> None:
    # Not the error's message, which may quote the document: the error log has it.
    log.warning(
        event,
        code=failed.error.code,
        object_key=failed.event.key if failed.event else None,
        error_log_key=log_key,
        **more,
    )
