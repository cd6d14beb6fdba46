"""From an object's bytes to a document ready to load. Pure and CPU-heavy: runs in a thread.

One that was too large for memory is read as a stream, twice: for its frame, then for its records.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from itertools import islice
from typing import Any

from consumer.decoding.cutting import PLACEHOLDER, Cut, cut_records
from consumer.decoding.gunzip import PlainReader, read_whole
from consumer.decoding.parse import Decoded, decode
from consumer.decoding.record_stream import RecordStream
from consumer.decoding.storable import find_unstorable
from consumer.documents.frames import DocumentInvalid, Frame, open_document, refuse_fewer
from consumer.documents.record_paths import unwrap
from consumer.drift.findings import find_root_drift
from consumer.errors import Permanent
from consumer.ingest.assembly import Assembly, Prepared, drift_of
from consumer.load.document import Identity
from consumer.load.standing import Standing
from consumer.spool import Spool
from schemas.aliases import Aliases
from schemas.codes import ErrorCode
from schemas.file_kinds import HEAD_BYTES, kind_by_first_bytes
from schemas.layouts import DocumentKey
from schemas.registry import Source

_RUN_RECORDS = 1000
_MAX_RUN_BYTES = 32 << 20  # largest record of a document that is read as a stream
# Of an object in memory; a larger one is streamed. Nothing else runs while the parser does.
_MAX_WHOLE_BYTES = 12 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's bytes, and whose they are; a spool when they are many."""

    identity: Identity
    source: Source
    key: DocumentKey
    data: bytes | Spool


@dataclass(frozen=True, slots=True)
class Opened:
    """A document whose frame was read, and whose records were cut out but not read."""

    frame: Frame
    cut: Cut


def open_unread(fetched: Fetched, aliases: Aliases, max_bytes: int) -> Opened | None:
    """Read only a document's frame, as strictly as all of it; None when it must be read in full.

    CPU-bound, but takes a twentieth of the time of `prepare`.
    """
    if isinstance(fetched.data, Spool):
        return None
    try:
        whole = read_whole(fetched.data, max_bytes, _MAX_WHOLE_BYTES)
    except Permanent:
        return None
    return None if whole is None else _open_unread(whole, fetched, aliases)


def prepare(
    fetched: Fetched,
    aliases: Aliases,
    max_bytes: int,
    opened: Opened | None = None,
    standing: Standing | None = None,
) -> Prepared:
    """Decode, validate and stage one object of at most `max_bytes` once decompressed. CPU-bound.

    Of the records of an `opened` document, those that are `standing` are not read.

    Raises:
        Permanent: the document as a whole is refused; its `drift` is what the root shows.
    """
    if opened and standing and (prepared := _prepare_rest(fetched, aliases, opened, standing)):
        return prepared
    try:
        frame, runs, cut = _open(fetched, aliases, max_bytes, opened)
    except DocumentInvalid as error:
        drift = drift_of(partial(find_root_drift, fetched.source, error.drifted or {}))
        raise Permanent(error.code, str(error), error.errors, drift.findings) from error
    assembly = Assembly(fetched.identity, frame, aliases, cut)
    for run in runs:
        assembly.add(run)
    return _finish(assembly, fetched, frame)


def _finish(assembly: Assembly, fetched: Fetched, frame: Frame) -> Prepared:
    prepared = assembly.finish()
    document = prepared.document
    refuse_fewer(frame.root, fetched.key, document.record_count + document.quarantined_count)
    return prepared


def _prepare_rest(
    fetched: Fetched, aliases: Aliases, opened: Opened, standing: Standing
) -> Prepared | None:
    """Read the records that do not stand; None when the document must be read in full."""
    cut, frame = opened.cut, opened.frame
    assembly = Assembly(fetched.identity, frame, aliases, cut)
    assembly.skip(standing)
    rest = [position for position in range(len(cut.records)) if position not in standing]
    try:
        # In two lists, as deep as in the document.
        decoded = decode(b"[[%b]]" % b",".join([cut.records[position] for position in rest]))
        positions = iter(rest)
        for run in _in_runs(decoded.root[0], suspicious=decoded.suspicious):
            assembly.add(run, positions)
        return None if assembly.repeats_checks else _finish(assembly, fetched, frame)
    except Permanent:
        return None


def _open(
    fetched: Fetched, aliases: Aliases, max_bytes: int, opened: Opened | None
) -> tuple[Frame, Iterator[Decoded], Cut | None]:
    data = fetched.data

    def reader() -> PlainReader:
        return PlainReader(data.rewound() if isinstance(data, Spool) else BytesIO(data), max_bytes)

    whole = None if isinstance(data, Spool) else read_whole(data, max_bytes, _MAX_WHOLE_BYTES)
    if whole is None:
        return *_open_stream(fetched, reader, aliases), None
    decoded = decode(whole)
    frame, rows = _open_frame(fetched, decoded, aliases)
    # After the document was found good: what is wrong with one is for `decode` to say.
    opened = opened or _open_unread(whole, fetched, aliases)
    cut = opened.cut if opened else None
    return frame, _in_runs(rows, suspicious=decoded.suspicious), cut


def _open_unread(whole: bytes, fetched: Fetched, aliases: Aliases) -> Opened | None:
    found = cut_records(whole, fetched.source, aliases)
    if found is None:
        return None
    try:
        decoded = decode(found.frame)
        frame, rows = _open_frame(fetched, decoded, aliases)
    except Permanent:
        return None  # `prepare` says why
    # Else what was cut out is not the document's list of records, or not all of it.
    is_sound = rows == [PLACEHOLDER] and not decoded.suspicious
    return Opened(frame, found) if is_sound else None


def _in_runs(rows: list[Any], *, suspicious: bool) -> Iterator[Decoded]:
    remaining = iter(rows)
    while run := list(islice(remaining, _RUN_RECORDS)):
        yield Decoded(run, suspicious)


def _open_stream(
    fetched: Fetched, reader: Callable[[], PlainReader], aliases: Aliases
) -> tuple[Frame, Iterator[Decoded]]:
    if kind := kind_by_first_bytes(reader().read(HEAD_BYTES)):
        raise Permanent(kind.code, kind.message)
    own = fetched.source.entry.list_field
    fields = {own} | {alias for alias, name in aliases.at(fetched.source, "") if name == own}
    first = RecordStream(reader(), fields, _MAX_RUN_BYTES)
    for _ in first:
        pass  # to its end: fields of the frame may stand behind the records
    decoded = decode(first.frame)
    is_ordinary = isinstance(decoded.root, dict) and first.digest is not None
    if aliases.record_paths(fetched.source) and not is_ordinary:
        raise Permanent(
            ErrorCode.OBJECT_TOO_LARGE,
            f"more than {_MAX_WHOLE_BYTES} bytes, and only documents with {own} at their root are "
            "read in pieces; split it (NDJSON: `split -l 500 FILE`)",
        )
    frame, rows = _open_frame(fetched, decoded, aliases)
    if rows != ([first.digest] if first.digest else []):
        raise Permanent(ErrorCode.JSON_MALFORMED, f"{own} was cut at the wrong place")
    return frame, map(decode, RecordStream(reader(), fields, _MAX_RUN_BYTES))


def _open_frame(fetched: Fetched, decoded: Decoded, aliases: Aliases) -> tuple[Frame, list[Any]]:
    """Open a document; refuse a frame that cannot be stored. Records are screened one by one."""
    source = fetched.source
    root, places = unwrap(decoded.root, source, fetched.key, aliases)
    frame, rows = open_document(root, source, fetched.key, aliases)
    if decoded.suspicious:
        beside = root.copy()
        beside.pop(source.entry.list_field, None)
        if problem := find_unstorable(beside):
            code, error = problem
            raise DocumentInvalid(code, error.message, (error,))
    return replace(frame, places=places), rows
