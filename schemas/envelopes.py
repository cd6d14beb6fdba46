"""What an SQS message body announces: S3 native, SNS-wrapped, EventBridge and test events.

Keys are URL-encoded with `+` for a space in native and SNS-wrapped events and raw in EventBridge
events (Amazon S3 User Guide, "Event message structure" and "Using EventBridge"). `sequencer`,
`size`, `eTag` and `versionId` may be missing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from schemas.keys import is_folder_marker, is_own_output

_CREATED = "ObjectCreated:"
_MAX_CHARACTERS = 1024  # S3's own limit for keys and version ids, in bytes


class EventMalformed(ValueError):
    """The body is no event we know; the message says what is missing and where."""


class IgnoreReason(StrEnum):
    """Why an event asks for nothing to be loaded."""

    TEST_EVENT = "test_event"
    NO_RECORDS = "no_records"
    NOT_A_CREATION = "not_a_creation"
    FOLDER_MARKER = "folder_marker"
    OWN_OUTPUT = "own_output"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is acknowledged without work."""

    reason: IgnoreReason
    detail: str


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """One object version that was written to the lake, under its real key; the time is in UTC.

    `is_forced` asks to load it again though it was loaded: only our own events do.
    """

    bucket: str
    key: str
    event_name: str
    version_id: str | None = None
    etag: str | None = None
    size_bytes: int | None = None
    sequencer: str | None = None
    event_time: datetime | None = None
    is_forced: bool = False


def decode_body(body: str) -> list[ObjectEvent | Ignored]:
    """Read one SQS message body: one entry per record, in their order; never empty.

    Raises:
        EventMalformed: not JSON, no known envelope, or a record without bucket or key.
    """
    return list(_decode(_json_object(body, "message body")))


def created_body(event: ObjectEvent) -> str:
    """Write a native S3 message body with one record, the inverse of `decode_body`."""
    time = event.event_time or datetime.now(UTC)
    described = {
        "key": quote_plus(event.key, safe="/"),
        "size": event.size_bytes,
        "eTag": event.etag,
        "versionId": event.version_id,
        "sequencer": event.sequencer,
    }
    record: dict[str, Any] = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": event.event_name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": event.bucket},
            "object": {name: value for name, value in described.items() if value is not None},
        },
    }
    if event.is_forced:
        record["forced"] = True
    # ASCII, because SQS refuses some characters that may stand in an ETag that somebody made up.
    return json.dumps({"Records": [record]})


def _decode(body: Mapping[str, Any]) -> Iterator[ObjectEvent | Ignored]:
    if "Records" in body:
        yield from _native(body["Records"])
    elif body.get("Event") == "s3:TestEvent":
        yield Ignored(IgnoreReason.TEST_EVENT, str(body.get("Bucket", "")))
    elif body.get("Type") == "Notification" and "Message" in body:
        yield from _decode(_json_object(body["Message"], "SNS Message"))
    elif "detail-type" in body and "detail" in body:
        yield _eventbridge(body)
    else:
        raise EventMalformed(
            "no known envelope: expected Records (S3), Type=Notification (SNS), detail-type "
            f"(EventBridge) or Event=s3:TestEvent; found the fields {sorted(body)[:10]}"
        )


def _native(records: Any) -> Iterator[ObjectEvent | Ignored]:
    if not isinstance(records, list):
        raise EventMalformed("Records is not a list")
    if not records:
        yield Ignored(IgnoreReason.NO_RECORDS, "")
    for number, record in enumerate(records):
        yield _native_record(record, f"Records[{number}]")


def _native_record(record: Any, place: str) -> ObjectEvent | Ignored:
    major = _text(record, "eventVersion", place).partition(".")[0]
    if major != "2":
        raise EventMalformed(f"{place}.eventVersion is {major}.x; only 2.x is known")
    name = _text(record, "eventName", place).removeprefix("s3:")
    s3 = _mapping(record, "s3", place)
    bucket = _bucket(s3, f"{place}.s3")
    described = _mapping(s3, "object", f"{place}.s3")
    key = _unquoted(_text(described, "key", f"{place}.s3.object"), place)
    if not name.startswith(_CREATED):
        return Ignored(IgnoreReason.NOT_A_CREATION, f"{name} {key}")
    event = _event(bucket, key, name, described, record.get("eventTime"))
    if isinstance(event, ObjectEvent) and record.get("forced") is True:
        return replace(event, is_forced=True)
    return event


def _eventbridge(body: Mapping[str, Any]) -> ObjectEvent | Ignored:
    detail = _mapping(body, "detail", "body")
    bucket = _bucket(detail, "detail")
    described = _mapping(detail, "object", "detail")
    key = _stored(_text(described, "key", "detail.object"), "detail.object.key")
    name = _text(body, "detail-type", "body")
    if name != "Object Created":
        return Ignored(IgnoreReason.NOT_A_CREATION, f"{name} {key}")
    plain = {
        "size": described.get("size"),
        "eTag": described.get("etag"),
        "versionId": described.get("version-id"),
        "sequencer": described.get("sequencer"),
    }
    reason = detail.get("reason")
    suffix = reason if isinstance(reason, str) and reason else "Unknown"
    return _event(bucket, key, f"{_CREATED}{suffix}", plain, body.get("time"))


def _bucket(parent: Mapping[str, Any], place: str) -> str:
    bucket = _mapping(parent, "bucket", place)
    return _stored(_text(bucket, "name", f"{place}.bucket"), f"{place}.bucket.name")


def _event(
    bucket: str, key: str, name: str, described: Mapping[str, Any], time: Any
) -> ObjectEvent | Ignored:
    if is_folder_marker(key):
        return Ignored(IgnoreReason.FOLDER_MARKER, key)
    if is_own_output(key):  # or the error log of an error log would be announced, for ever
        return Ignored(IgnoreReason.OWN_OUTPUT, key)
    size = described.get("size")
    return ObjectEvent(
        bucket=bucket,
        key=key,
        event_name=name,
        version_id=_optional_text(described, "versionId"),
        etag=(_optional_text(described, "eTag") or "").strip('"') or None,
        size_bytes=size if type(size) is int and 0 <= size < 2**63 else None,
        sequencer=_optional_text(described, "sequencer"),
        event_time=_time(time),
    )


def _optional_text(described: Mapping[str, Any], name: str) -> str | None:
    value = described.get(name)
    # S3 writes the text "null" for the version of an object in an unversioned bucket.
    if not isinstance(value, str) or value in ("", "null"):
        return None
    return _stored(value, f"object.{name}")


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _json_object(text: Any, place: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise EventMalformed(f"{place} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise EventMalformed(f"{place} is {type(value).__name__}, not an object")
    return value


def _mapping(parent: Any, name: str, place: str) -> Mapping[str, Any]:
    value = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(value, dict):
        raise EventMalformed(f"{place}.{name} is missing or not an object")
    return value


def _text(parent: Any, name: str, place: str) -> str:
    value = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(value, str) or not value:
        raise EventMalformed(f"{place}.{name} is missing or not text")
    return value


def _unquoted(key: str, place: str) -> str:
    try:
        return _stored(unquote_plus(key, errors="strict"), f"{place}.s3.object.key")
    except UnicodeDecodeError as error:
        raise EventMalformed(f"{place}.s3.object.key is not URL-encoded UTF-8") from error


def _stored(text: str, place: str) -> str:
    # Neither S3 (1 to 1024 bytes of UTF-8) nor a PostgreSQL text could hold such a one.
    if len(text) > _MAX_CHARACTERS:
        raise EventMalformed(f"{place} is longer than {_MAX_CHARACTERS} characters")
    if "\0" in text or (not text.isprintable() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise EventMalformed(f"{place} holds NUL or a lone surrogate")
    return text
