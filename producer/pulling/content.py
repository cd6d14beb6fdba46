"""Whether two answers are equal apart from the time at which they were made."""

import hashlib
import re

from producer.json_text import NotJson, parse_json

#: Name of the digest in an object's metadata.
CONTENT_DIGEST = "content-sha-256"

_STAMP = re.compile(rb'"curUTC"\s*:\s*"[^"\\]*"')
_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*")


def content_digest(body: bytes) -> str:
    """Return the hex SHA-256 of a document without the value of its root's `curUTC`.

    Another spacing or order of fields costs a needless write, never a missed one.
    """
    start, end = _own_stamp(body) or (len(body), len(body))
    view = memoryview(body)
    digest = hashlib.sha256(view[:start])
    if start < end:
        digest.update(b'"curUTC"')
        digest.update(view[end:])
    return digest.hexdigest()


def _own_stamp(body: bytes) -> tuple[int, int] | None:
    """Return the span of the root's `curUTC` and its value; None if it is uncertain."""
    # As the first field, where the ERP puts it, it is certainly the root's.
    opening = _OPENING.match(body)
    first = _STAMP.match(body, opening.end()) if opening else None
    if first is not None:
        return first.span()
    places = [match.span() for match, _ in zip(_STAMP.finditer(body), range(2), strict=False)]
    if len(places) != 1:
        return None
    try:
        document = parse_json(body)
    except NotJson:
        return None
    return places[0] if isinstance(document, dict) and "curUTC" in document else None
