"""Which source an announced object belongs to, or why it is refused unread. Pure."""

from collections.abc import Collection

from consumer.errors import Permanent
from schemas.codes import ErrorCode
from schemas.envelopes import ObjectEvent
from schemas.layouts import OWN_LAYOUT, DocumentKey, Layout
from schemas.registry import Source


def route(
    event: ObjectEvent,
    buckets: Collection[str],
    max_object_bytes: int,
    layout: Layout = OWN_LAYOUT,
) -> tuple[Source, DocumentKey]:
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
    key = layout.read(event.key)
    if key is None:
        raise Permanent(
            ErrorCode.UNKNOWN_SOURCE,
            f"the key is none of {layout.expected}, or can be read in two ways; move the object, "
            "narrow the bucket's notification, or describe the key in KEY_TEMPLATES",
        )
    return key.source, key
