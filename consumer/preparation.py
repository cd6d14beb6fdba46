"""From an object's bytes to a document ready to load. Pure and CPU-heavy: runs in a thread.

A document in memory is parsed at once; one that was too large for memory is read as a stream,
twice: for its frame, whose fields may stand behind the records, then for its records.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import count, islice
from typing import Any

from consumer.batches import Identity, StagedDocument
from consumer.decode import Decoded, decode
from consumer.errors import Permanent
from consumer.gunzip import PlainReader
from consumer.splitting import DocumentSplitter
from consumer.spool import Spool
from consumer.staging import Staged, stage
from schemas.aliases import Aliases
from schemas.codes import ErrorCode
from schemas.documents import read_records, record_reader
from schemas.drift import DUPLICATE, UNKNOWN, Finding, Usual, find_drift
from schemas.frames import DocumentInvalid, Frame, open_document
from schemas.keys import ApiKey, ErpKey
from schemas.quarantine import Quarantined
from schemas.shapes import Presence
from schemas.sources import Source
from schemas.storable import find_unstorable
from schemas.store_days import list_field

_numbers = count(1)
_DOCUMENT_NUMBERS = 2**31 - 1
_RUN_RECORDS = 1000
_EMPTY_LIST = b"[] \t\r\n"
_MAX_RUN_BYTES = 32 << 20  # largest record of a document that is read as a stream
_MAX_WHOLE_BYTES = 64 << 20  # of an object in memory: one that unpacks to more is streamed
_DETAILED_QUARANTINES = 1000  # of one document: the log lists so many, and counts the rest


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's bytes, and whose they are; a spool when they are many."""

    identity: Identity
    source: Source
    key: ApiKey | ErpKey
    data: bytes | Spool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to load, the records that were set aside, and what its fields held.

    `quarantined` lists the first thousand; `document.quarantined_count` counts all.
    """

    document: StagedDocument
    quarantined: list[Quarantined]
    presences: list[Presence]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What documents are read with: the renames in force, and what is usual."""

    aliases: Aliases
    usual: Usual


def prepare(
    fetched: Fetched, knowledge: Knowledge, max_bytes: int, *, careful: bool = False
) -> Prepared:
    """Decode, validate and stage one object. CPU-bound; holds the interpreter for milliseconds.

    Args:
        fetched: The object.
        knowledge: What it is read with.
        max_bytes: Largest document once decompressed.
        careful: Look into every value for what PostgreSQL cannot hold, even though parsing gave
            no reason to: after the database rejected the document.

    Raises:
        Permanent: the document as a whole is refused.
    """
    try:
        frame, runs = _open(fetched, knowledge.aliases, max_bytes)
    except DocumentInvalid as error:
        raise Permanent(error.code, str(error), error.errors) from error
    return _assemble(fetched.identity, frame, runs, knowledge, careful=careful)


def _open(fetched: Fetched, aliases: Aliases, max_bytes: int) -> tuple[Frame, Iterator[Decoded]]:
    data = fetched.data
    if isinstance(data, Spool):
        return _open_stream(fetched, lambda: PlainReader(data.rewound(), max_bytes), aliases)
    plain = PlainReader(BytesIO(data), max_bytes).read_all(_MAX_WHOLE_BYTES)
    if plain is None:
        return _open_stream(fetched, lambda: PlainReader(BytesIO(data), max_bytes), aliases)
    return _open_whole(fetched, plain, aliases)


def _open_whole(fetched: Fetched, data: bytes, aliases: Aliases) -> tuple[Frame, Iterator[Decoded]]:
    decoded = decode(data)
    frame, rows = open_document(decoded.root, fetched.source, fetched.key, aliases)
    if decoded.suspicious:
        _screen_frame(decoded.root, fetched.source)
    return frame, _in_runs(rows, suspicious=decoded.suspicious)


def _in_runs(rows: list[Any], *, suspicious: bool) -> Iterator[Decoded]:
    remaining = iter(rows)
    while run := list(islice(remaining, _RUN_RECORDS)):
        yield Decoded(run, suspicious)


def _open_stream(
    fetched: Fetched, reader: Callable[[], PlainReader], aliases: Aliases
) -> tuple[Frame, Iterator[Decoded]]:
    own = list_field(fetched.source)
    fields = {own} | {alias for alias, name in aliases.at(fetched.source, "") if name == own}
    first = DocumentSplitter(reader(), fields, _MAX_RUN_BYTES)
    record_bytes = sum(len(run.strip(_EMPTY_LIST)) for run in first)
    decoded = decode(first.frame)
    frame, rows = open_document(
        decoded.root,
        fetched.source,
        fetched.key,
        aliases,
        has_records_elsewhere=record_bytes > 0,
    )
    if decoded.suspicious:
        _screen_frame(decoded.root, fetched.source)
    if rows:
        raise Permanent(ErrorCode.JSON_MALFORMED, f"{own} was cut at the wrong place")
    return frame, map(decode, DocumentSplitter(reader(), fields, _MAX_RUN_BYTES))


def _screen_frame(root: dict[str, Any], source: Source) -> None:
    """Refuse a frame that cannot be stored; its records are screened one by one."""
    beside = root.copy()
    beside.pop(list_field(source), None)
    if problem := find_unstorable(beside):
        code, error = problem
        raise DocumentInvalid(code, error.message, (error,))


def _assemble(
    identity: Identity,
    frame: Frame,
    runs: Iterable[Decoded],
    knowledge: Knowledge,
    *,
    careful: bool,
) -> Prepared:
    """Validate and stage run by run, so that only one run is held as objects."""
    document = StagedDocument(next(_numbers) % _DOCUMENT_NUMBERS, identity, frame, Staged())
    reader = record_reader(frame, knowledge.aliases)
    quarantined: list[Quarantined] = []
    position = 0
    for run in runs:
        screen = find_unstorable if careful or run.suspicious else None
        records = read_records(reader, run.root, position, screen)
        position += len(run.root)
        stage(frame, records.accepted, document.number, document.staged)
        document.record_count += len(records.accepted)
        _keep_stored(document, records.quarantined)
        quarantined += records.quarantined[: _DETAILED_QUARANTINES - len(quarantined)]
    findings, presences = find_drift(frame.source, reader.shapes, knowledge.usual)
    findings.update(Finding(name, UNKNOWN) for name in frame.unknown_fields)
    if reader.duplicate_count:
        findings[Finding(list_field(frame.source), DUPLICATE)] += reader.duplicate_count
    document.findings = dict(findings)
    return Prepared(document, quarantined, presences)


def _keep_stored(document: StagedDocument, quarantined: list[Quarantined]) -> None:
    """Remember what a store-day answer still has but could not say: its stored rows stay."""
    document.quarantined_count += len(quarantined)
    for record in quarantined:
        if record.record_id is None:
            document.keep_all = True
        else:
            document.keep_ids.append(record.record_id)
