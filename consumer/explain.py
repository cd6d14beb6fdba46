"""What the consumer would do with a message body. Pure; touches nothing."""

from datetime import datetime
from typing import Any

from schemas.codes import ErrorCode
from schemas.envelopes import EventMalformed, Ignored, ObjectEvent, decode_body
from schemas.keys import ApiKey, ErpKey, parse_key
from schemas.sources import Source


def explain(body: str, bucket: str | None) -> dict[str, Any]:
    """Return the decision for each record of a message body, ready for JSON.

    Args:
        body: The SQS message body.
        bucket: The bucket that is served; None to leave the check out.
    """
    try:
        announced = decode_body(body)
    except EventMalformed as error:
        return {
            "decision": "dead_letter",
            "error_code": ErrorCode.EVENT_MALFORMED,
            "error": str(error),
        }
    records = [_record(item, bucket) for item in announced]
    decisions = {record["decision"] for record in records}
    return {
        "decision": decisions.pop() if len(decisions) == 1 else "each_its_own",
        "records": records,
    }


def _record(item: ObjectEvent | Ignored, bucket: str | None) -> dict[str, Any]:
    if isinstance(item, Ignored):
        return {"decision": "ignore", "reason": item.reason, "detail": item.detail}
    described = {
        name: _plain(getattr(item, name))
        for name in ("bucket", "key", "version_id", "etag", "size_bytes", "sequencer", "event_time")
    }
    key = parse_key(item.key)
    if bucket is not None and item.bucket != bucket:
        return _refused(f"another bucket than {bucket}") | described
    if isinstance(key, ApiKey):
        identity = {"store_id": key.store_id, "bus_dt": key.bus_dt.isoformat()}
        return {"decision": "load", "source": key.source} | identity | described
    if isinstance(key, ErpKey):
        return {"decision": "load", "source": Source.ERP} | described
    return _refused("the key is no document of the lake's layout") | described


def _refused(reason: str) -> dict[str, Any]:
    return {
        "decision": "dead_letter",
        "error_code": ErrorCode.UNKNOWN_SOURCE,
        "error": reason,
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
