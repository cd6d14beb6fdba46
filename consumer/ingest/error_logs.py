"""Error logs: one object in the lake for each failure, with everything that is known of it."""

import json
import traceback
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Protocol

from consumer.aws.sqs import Delivery
from consumer.documents.quarantine import Quarantined
from consumer.errors import ConsumerError, Permanent
from consumer.ingest.prepare import Prepared
from consumer.load.document import StagedDocument
from schemas.codes import ErrorCode
from schemas.envelopes import ObjectEvent
from schemas.keys import error_log_key, source_named

_LOGGED_BODY_CHARACTERS = 20_000
_LOGGED_ERRORS = 20_000  # of all records of a document: five megabytes, a fifth of a second
_LOGGED_TRACEBACK_CHARACTERS = 50_000
_VERSION = version("coco-ingest")


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
        key = log_key(delivery, event)
        log = _log(delivery, error, event, prepared)
        await self.store.write_log(key, json.dumps(log, indent=2).encode())
        return key


def log_key(delivery: Delivery, event: ObjectEvent | None) -> str:
    """Return where the error log of one record of a message is, the same at every receipt."""
    source = (source_named(event.key) if event else None) or "unknown"
    name = f"{delivery.message_id}-{_fingerprint(event)}"
    return error_log_key(source, delivery.sent_at or delivery.received_at, name)


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
        "records": _records(prepared.quarantined) if prepared else [],
        "records_total": prepared.document.quarantined_count if prepared else 0,
        "object": _object(event),
        "message_id": delivery.message_id,
        "attempts": delivery.receive_count,
        "received_at": delivery.received_at.isoformat(),
        "failed_at": datetime.now(UTC).isoformat(),
        "body": delivery.body[:_LOGGED_BODY_CHARACTERS],
        "traceback": _traceback(error) if error.code is ErrorCode.INTERNAL else None,
        "version": _VERSION,
    }


def _records(quarantined: list[Quarantined]) -> list[dict[str, Any]]:
    each = max(1, _LOGGED_ERRORS // max(1, len(quarantined)))
    return [
        asdict(replace(record, errors=record.errors[:each]))
        | ({"errors_total": len(record.errors)} if len(record.errors) > each else {})
        for record in quarantined
    ]


def _traceback(error: ConsumerError) -> str:
    return "".join(traceback.format_exception(error))[-_LOGGED_TRACEBACK_CHARACTERS:]


def _object(event: ObjectEvent | None) -> dict[str, Any] | None:
    if event is None:
        return None
    described = asdict(event)
    time = event.event_time
    return described | {"event_time": time.isoformat() if time else None}


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
