"""Whether two answers are equal apart from the time at which they were made."""

import gzip
import hashlib
import re
import zlib

from producer.errors import NotJson
from producer.json_text import parse_json

#: Name of the digest in an object's metadata.
CONTENT_DIGEST = "content-sha-256"

_STAMP = re.compile(rb'"curUTC"\s*:\s*"[^"\\]*"')
_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*")
_GZIP_MAGIC = b"\x1f\x8b"


def content_digest(body: bytes) -> str:
    """Return the hex SHA-256 of a document without the value of its root's `curUTC`.

    Byte for byte: another spacing or order of fields gives another digest, which costs a needless
    write and never a missed one. So does a `curUTC` that is not certain to be the root's.
    """
    stamp = _own_stamp(body)
    digest = hashlib.sha256()
    view = memoryview(body)
    if stamp is None:
        digest.update(view)
    else:
        digest.update(view[: stamp[0]])
        digest.update(b'"curUTC"')
        digest.update(view[stamp[1] :])
    return digest.hexdigest()


def stored_digest(stored: bytes) -> str | None:
    """Return the digest of a stored document, gzipped or not; None if it is broken."""
    if not stored.startswith(_GZIP_MAGIC):
        return content_digest(stored)
    try:
        return content_digest(gzip.decompress(stored))
    except (OSError, EOFError, zlib.error):
        return None


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
