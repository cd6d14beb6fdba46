"""Parking what cannot be loaded: an error log object first, then the dead-letter queue.

A crash between any two steps loses nothing: the message is deleted last, and a repeated attempt
writes the same log object again. It may send a second dead letter; a replay of it changes nothing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Protocol

import structlog

from consumer.batches import StagedDocument
from consumer.errors import ConsumerError, Permanent
from consumer.ledger import Entry, RecordEntry, source_of
from consumer.preparation import Prepared
from consumer.settlement import Failed
from consumer.sqs import Delivery, Queue
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent, created_body
from schemas.keys import error_log_key
from schemas.quarantine import Quarantined

log = structlog.get_logger()

_LOGGED_BODY_CHARACTERS = 20_000
_ATTRIBUTE_CHARACTERS = 1000
# Amazon SQS API Reference, SendMessage: what a message may contain
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class LogStore(Protocol):
    """Where error logs go."""

    async def write_log(self, key: str, body: bytes) -> None:
        """Write one log object, replacing a former attempt's."""


@dataclass(frozen=True, slots=True)
class ErrorLogs:
    """Writes error log objects into the lake."""

    store: LogStore

    async def write(
        self,
        delivery: Delivery,
        error: ConsumerError,
        event: ObjectEvent | None,
        prepared: Prepared | None = None,
    ) -> str:
        """Write the log of one failure and return its key; safe to repeat.

        Raises:
            Transient: S3 could not take it.
        """
        now = datetime.now(UTC)
        source = (source_of(event) if event else None) or "unknown"
        name = f"{delivery.message_id}-{_fingerprint(event)}"
        key = error_log_key(source, delivery.received_at, name)
        log = _log(delivery, error, event, prepared) | {"failed_at": now.isoformat()}
        await self.store.write_log(key, json.dumps(log, indent=2).encode())
        return key


class DeadLetters:
    """Parks failed records: log, dead-letter queue, ledger."""

    def __init__(self, queue: Queue, logs: ErrorLogs, record: RecordEntry) -> None:
        self._queue = queue
        self._logs = logs
        self._record = record

    async def park(self, delivery: Delivery, failed: Failed, *, alone: bool) -> None:
        """Park one failed record of a message; safe to repeat.

        Args:
            delivery: The message.
            failed: What failed.
            alone: Whether the record is the message's only one: its body is kept as it came.

        Raises:
            Transient: one of S3, SQS or PostgreSQL could not do its part; park again later.
        """
        log_key = failed.log_key
        if log_key is None:
            log_key = await self._logs.write(delivery, failed.error, failed.event)
        event = failed.event
        body = delivery.body if alone or event is None else created_body(event)
        attributes = _attributes(delivery, failed.error, log_key, event)
        if event is not None and failed.log_key is None:
            await self._enter(_entry(delivery, failed.error, log_key, event))
        await self._queue.send(body, attributes)

    async def _enter(self, entry: Entry) -> None:
        try:
            await self._record(entry)
        except Permanent as error:
            # An identity that the ledger cannot hold must not keep its letter from being sent.
            log.warning("ledger_refused", object_key=entry.event.key, error=str(error))


def _entry(delivery: Delivery, error: ConsumerError, log_key: str, event: ObjectEvent) -> Entry:
    return Entry(
        event=event,
        state=State.DEAD_LETTERED,
        received_at=delivery.received_at,
        attempts=delivery.receive_count,
        error_code=error.code,
        error_message=str(error)[:_ATTRIBUTE_CHARACTERS],
        error_log_key=log_key,
    )


def _fingerprint(event: ObjectEvent | None) -> str:
    """Tell the records of one message apart, the same way on every attempt."""
    if event is None:
        return "message"
    identity = f"{event.key}\n{event.version_id or event.etag or ''}"
    return sha256(identity.encode()).hexdigest()[:16]


def _log(
    delivery: Delivery,
    error: ConsumerError,
    event: ObjectEvent | None,
    prepared: Prepared | None,
) -> dict[str, Any]:
    errors = error.errors if isinstance(error, Permanent) else ()
    return {
        "code": error.code,
        "message": str(error),
        "errors": [asdict(found) for found in errors],
        "records": [asdict(record) for record in prepared.quarantined] if prepared else [],
        "records_total": prepared.document.quarantined_count if prepared else 0,
        "object": _object(event),
        "message_id": delivery.message_id,
        "attempts": delivery.receive_count,
        "received_at": delivery.received_at.isoformat(),
        "body": delivery.body[:_LOGGED_BODY_CHARACTERS],
        "version": version("coco-ingest"),
    }


def _object(event: ObjectEvent | None) -> dict[str, Any] | None:
    if event is None:
        return None
    described = asdict(event)
    time = event.event_time
    return described | {"event_time": time.isoformat() if time else None}


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
    }
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(text: str) -> str:
    """Keep what SQS allows in an attribute, and not too much of it."""
    return _NOT_ALLOWED.sub("?", text[:_ATTRIBUTE_CHARACTERS])


def records_invalid(document: StagedDocument, first: Quarantined) -> Permanent:
    """Return the error of a document of which some records were set aside."""
    problem = first.errors[0]
    total = document.record_count + document.quarantined_count
    return Permanent(
        ErrorCode.RECORDS_INVALID,
        f"{document.quarantined_count} of {total} records were set aside, the first {first.path} "
        f"(id {first.record_id}): {problem.location}: {problem.message}; fix the records or add "
        "an alias, then replay",
    )
