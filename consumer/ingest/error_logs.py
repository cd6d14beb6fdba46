"""Error logs: one object in the lake for each failure, with everything that is known of it."""

import json
import traceback
from dataclasses import asdict, replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from consumer.aws.s3 import Lake
from consumer.aws.sqs import Delivery
from consumer.documents.quarantine import Quarantined
from consumer.errors import ConsumerError, Permanent, RecordError
from consumer.ingest.assembly import Prepared
from consumer.load.document import StagedDocument
from schemas.codes import ErrorCode
from schemas.envelopes import ObjectEvent
from schemas.keys import error_log_key, source_named

_LOGGED_BODY_CHARACTERS = 20_000
_LOGGED_ERRORS = 20_000  # of all records of a document: five megabytes, a fifth of a second
_LOGGED_TRACEBACK_CHARACTERS = 50_000
_VERSION = version("coco-ingest")


async def write_error_log(
    lake: Lake,
    delivery: Delivery,
    error: ConsumerError,
    event: ObjectEvent | None,
    prepared: Prepared | None = None,
) -> str:
    """Write the error log of one failure into the lake and return its key; safe to repeat.

    Raises:
        Transient: S3 could not take it.
    """
    key = log_key(delivery, event)
    log = _log(delivery, error, event, prepared)
    await lake.write_log(key, json.dumps(log, indent=2, default=datetime.isoformat).encode())
    return key


def log_key(delivery: Delivery, event: ObjectEvent | None) -> str:
    """Return where the error log of one record of a message is, the same at every receipt."""
    source = (source_named(event.key) if event else None) or "unknown"
    # Tells the records of one message apart.
    record = "message"
    if event is not None:
        identity = f"{event.key}\n{event.version_id or event.etag or ''}"
        record = sha256(identity.encode()).hexdigest()[:16]
    sent_at = delivery.sent_at or delivery.received_at
    return error_log_key(source, sent_at, f"{delivery.message_id}-{record}")


def _log(
    delivery: Delivery, error: ConsumerError, event: ObjectEvent | None, prepared: Prepared | None
) -> dict[str, Any]:
    bug = "".join(traceback.format_exception(error)) if error.code is ErrorCode.INTERNAL else None
    return {
        "code": error.code,
        "message": str(error),
        "errors": [asdict(found) for found in error.errors] if isinstance(error, Permanent) else [],
        "records": _records(prepared.quarantined) if prepared else [],
        "records_total": prepared.document.quarantined_count if prepared else 0,
        "object": asdict(event) if event else None,
        "message_id": delivery.message_id,
        "attempts": delivery.receive_count,
        "received_at": delivery.received_at,
        "failed_at": datetime.now(UTC),
        "body": delivery.body[:_LOGGED_BODY_CHARACTERS],
        "traceback": bug and bug[-_LOGGED_TRACEBACK_CHARACTERS:],
        "version": _VERSION,
    }


def _records(quarantined: list[Quarantined]) -> list[dict[str, Any]]:
    each = max(1, _LOGGED_ERRORS // max(1, len(quarantined)))
    return [
        asdict(replace(record, errors=record.errors[:each]))
        | ({"errors_total": len(record.errors)} if len(record.errors) > each else {})
        for record in quarantined
    ]


def _told(problem: RecordError) -> str:
    where = f"{problem.location}: " if problem.location else ""
    return f"{where}{problem.message}" + (f", got {problem.value}" if problem.value else "")


def records_invalid(document: StagedDocument, first: Quarantined) -> Permanent:
    """Return the error of a document of which some records were set aside."""
    problem = first.errors[0]
    total = document.record_count + document.quarantined_count
    return Permanent(
        ErrorCode.RECORDS_INVALID,
        f"{document.quarantined_count} of {total} records were set aside, the first {first.path} "
        f"(id {first.record_id}): {_told(problem)}; correct it at its source and pull or upload "
        "the document again, or name a renamed field in the alias file and replay; "
        "`consumer dlq show` lists the records",
    )
