"""Cuts the records out of a document as bytes, so that those that were read before are not again.

Only where records begin and end is found here. Whether they are JSON is for the parser to say: it
gets the frame, and every record that is not known by its digest. What is odd is not cut, but read
in full, so no verdict depends on this.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import msgspec
from typing_extensions import Buffer

from schemas.aliases import Aliases
from schemas.registry import Source

# Raise it when the same bytes become other rows though no contract has changed: what was loaded
# before is then read again.
_REVISION = 1
_DIGEST_BYTES = 16
_IDS = range(-(2**63), 2**63)  # of PostgreSQL's bigint

_COMMA = re.compile(rb"[ \t\n\r]*,[ \t\n\r]*")

PLACEHOLDER = "records were here"


@dataclass(frozen=True, slots=True)
class Cut:
    """The records of a document as bytes.

    `frame` is the document with the placeholder in the place of all records. A digest is of bytes
    and of how they are read; equal ones become equal rows. Checks have one each; a store-day list
    has one for all of its rows, which are of one document, and no `ids`.
    """

    frame: bytes
    records: Sequence[msgspec.Raw]
    digests: Sequence[bytes] = ()
    ids: Sequence[int] | None = None
    list_digest: bytes | None = None


def cut_records(data: bytes, source: Source, aliases: Aliases) -> Cut | None:
    """Cut the records out of a document; None when that is not safe, or it holds none.

    Checks are not cut when an id cannot be told without reading its check, or comes twice.
    """
    try:
        records = _document_decoder(source).decode(data).records
    except (msgspec.MsgspecError, RecursionError):
        return None
    place = _place_of(records, data) if records else None
    if place is None:
        return None
    ids = _ids(records, source) if source.holds_checks else None
    if source.holds_checks and ids is None:
        return None
    frame = data[: place.start] + json.dumps(PLACEHOLDER).encode() + data[place.stop :]
    if source.holds_checks:
        return Cut(frame, records, _digests(records, source, aliases), ids)
    [digest] = _digests([memoryview(data)[place]], source, aliases)
    return Cut(frame, records, list_digest=digest)


def _place_of(records: Sequence[msgspec.Raw], data: bytes) -> slice | None:
    """Return where the records are, or None unless nothing but commas is between them."""
    first = start = data.index(records[0])
    for record in records:
        if not data.startswith(record, start):  # which is faster than to search for it
            return None
        end = start + memoryview(record).nbytes
        between = _COMMA.match(data, end)
        start = between.end() if between else end
    return slice(first, end)


def _digests(records: Iterable[Buffer], source: Source, aliases: Aliases) -> list[bytes]:
    seeded = hashlib.sha256(reading_fingerprint(source, aliases))
    digests = []
    for record in records:
        digest = seeded.copy()
        digest.update(record)
        digests.append(digest.digest()[:_DIGEST_BYTES])
    return digests


def _ids(records: Iterable[msgspec.Raw], source: Source) -> list[int] | None:
    decode = _record_decoder(source).decode
    try:
        ids = [decode(record).id for record in records]
    except (msgspec.MsgspecError, RecursionError):
        return None
    is_plain = len(set(ids)) == len(ids) and all(number in _IDS for number in ids)
    return ids if is_plain else None


@lru_cache(64)
def reading_fingerprint(source: Source, aliases: Aliases) -> bytes:
    """Return what tells how a source's records are read from any other way to read them."""
    schema = json.dumps(source.entry.model.model_json_schema(), sort_keys=True)
    told = repr((_REVISION, source.entry.list_field, aliases.fingerprint_of(source), schema))
    return hashlib.sha256(told.encode()).digest()


@cache
def _document_decoder(source: Source) -> msgspec.json.Decoder[Any]:
    field, kind = ("records", list[msgspec.Raw] | None, None), {"records": source.entry.list_field}
    return msgspec.json.Decoder(msgspec.defstruct("Document", [field], rename=kind))


@cache
def _record_decoder(source: Source) -> msgspec.json.Decoder[Any]:
    kind = msgspec.defstruct("Record", [("id", int)], rename={"id": source.entry.id_field})
    return msgspec.json.Decoder(kind)
