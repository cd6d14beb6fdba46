"""Which source an announced object belongs to, or why it is refused unread. Pure."""

from collections.abc import Collection

from consumer.errors import Permanent
from schemas.codes import ErrorCode
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey, ErpKey, parse_key
from schemas.registry import Source


def route(
    event: ObjectEvent, buckets: Collection[str], max_object_bytes: int
) -> tuple[Source, ApiKey | ErpKey]:
    """Return an object's source and the identity in its key, or refuse it.

    Raises:
        Permanent: `unknown_source` or `object_too_large`.
    """
    if event.bucket not in buckets:
        raise Permanent(
            ErrorCode.UNKNOWN_SOURCE,
            f"the event names bucket {event.bucket!r}, we serve {', '.join(sorted(buckets))}; if "
            "it is another name of ours, add it to OTHER_BUCKET_NAMES",
        )
    if event.size_bytes is not None and event.size_bytes > max_object_bytes:
        raise Permanent(
            ErrorCode.OBJECT_TOO_LARGE,
            f"{event.size_bytes} bytes; split it or raise MAX_OBJECT_BYTES ({max_object_bytes})",
        )
    key = parse_key(event.key)
    if isinstance(key, ApiKey):
        return key.source, key
    if isinstance(key, ErpKey):
        return Source.ERP, key
    raise Permanent(
        ErrorCode.UNKNOWN_SOURCE,
        "the key is none of raw/erp/<name>.json and raw/api_responses/<endpoint>/busDt=…/"
        "storeId=…/<name>.json; move the object or narrow the bucket's notification",
    )
