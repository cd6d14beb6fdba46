"""Dead-lettering what cannot be loaded: an error log object first, then the dead-letter queue.

A crash between any two steps loses nothing: the message is deleted last, and a repeated attempt
writes the same log object again. It may send a second dead letter; a replay of it changes nothing.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from consumer.aws.sqs import ORIGINAL_ID, Delivery, Queue
from consumer.errors import ConsumerError, Permanent
from consumer.ingest.error_logs import ErrorLogs
from consumer.ingest.outcome import Failed
from consumer.load.ledger import Entry, RecordEntry
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent, created_body

log = structlog.get_logger()

_ATTRIBUTE_CHARACTERS = 1000
_DEAD_LETTER_BYTES = 1_000_000  # SQS takes a mebibyte, attributes included
# Amazon SQS API Reference, SendMessage: what a message may contain
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class DeadLetters:
    """Writes down what failed: error log, ledger, dead-letter queue."""

    def __init__(self, queue: Queue, logs: ErrorLogs, record: RecordEntry) -> None:
        self._queue = queue
        self._logs = logs
        self._record = record

    async def send(self, delivery: Delivery, failed: Failed, *, alone: bool) -> str:
        """Dead-letter one failed record of a message and return its log's key; safe to repeat.

        Args:
            delivery: The message.
            failed: What failed.
            alone: Whether the record is the message's only one: its body is kept as it came.

        Raises:
            Transient: one of S3, SQS or PostgreSQL could not do its part; send again later.
        """
        key = await self._log_and_enter(delivery, failed)
        body = _dead_letter_body(delivery.body, failed.event, alone=alone)
        await self._queue.send(body, _attributes(delivery, failed.error, key, failed.event))
        return key

    async def note(self, delivery: Delivery, failed: Failed, *, is_last: bool) -> str | None:
        """Note a failure whose message goes back to the queue; return its log's key, if any.

        Bugs have a log from the first attempt on. Before the last one there is no end state.

        Raises:
            Transient: one of S3 or PostgreSQL could not do its part; note again later.
        """
        if is_last:
            return await self._log_and_enter(delivery, failed)
        if failed.error.code is ErrorCode.INTERNAL:
            return await self._logs.write(delivery, failed.error, failed.event)
        return None

    async def ignore(self, delivery: Delivery, failed: Failed) -> None:
        """Enter a failure that the policy ignores into the ledger.

        Raises:
            Transient: PostgreSQL could not do it; ignore again later.
        """
        if failed.event is not None:
            await self._enter(_entry(delivery, failed, State.IGNORED))

    async def _log_and_enter(self, delivery: Delivery, failed: Failed) -> str:
        if failed.log_key is not None:
            # With the good records of its document.
            return failed.log_key
        key = await self._logs.write(delivery, failed.error, failed.event)
        if failed.event is not None:
            await self._enter(_entry(delivery, failed, State.DEAD_LETTERED, key))
        return key

    async def _enter(self, entry: Entry) -> None:
        try:
            await self._record(entry)
        except Permanent as error:
            # An identity that the ledger cannot hold must not stop its dead letter.
            log.warning("ledger_refused", object_key=entry.event.key, code=error.code)


def _entry(delivery: Delivery, failed: Failed, state: State, key: str | None = None) -> Entry:
    if failed.event is None:
        raise ValueError("only objects have a ledger row")
    return Entry(
        event=failed.event,
        state=state,
        received_at=delivery.received_at,
        attempts=delivery.receive_count,
        error_code=failed.error.code,
        error_message=_attribute(str(failed.error)),
        error_log_key=key,
        findings=failed.error.findings if isinstance(failed.error, Permanent) else None,
    )


def _dead_letter_body(body: str, event: ObjectEvent | None, *, alone: bool) -> str:
    """Return a dead letter's body: as it came, if that is about this record only and fits."""
    raw = body.encode(errors="replace")
    fits = len(raw) <= _DEAD_LETTER_BYTES
    if event is not None and not (alone and fits):
        return created_body(event)
    return body if fits else raw[:_DEAD_LETTER_BYTES].decode(errors="ignore")


def _attributes(
    delivery: Delivery, error: ConsumerError, log_key: str, event: ObjectEvent | None
) -> Mapping[str, str]:
    values = {
        "ErrorCode": error.code.value,
        "ErrorMessage": str(error),
        "ErrorLogKey": log_key,
        "ObjectKey": event.key if event else "",
        "FailedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "Attempts": str(delivery.receive_count),
        ORIGINAL_ID: delivery.original_id,
    }
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(text: str) -> str:
    """Keep what SQS allows in an attribute, and not too much of it."""
    return _NOT_ALLOWED.sub("?", text[:_ATTRIBUTE_CHARACTERS])
