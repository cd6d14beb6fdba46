"""From an object's bytes to a document ready to load. Pure and CPU-heavy: runs in a thread.

One that was too large for memory is read as a stream, twice: for its frame, then for its records.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date
from functools import partial
from io import BytesIO
from itertools import count, islice
from typing import Any

import structlog

from consumer.documents.frames import DocumentInvalid, Frame, open_document, refuse_fewer
from consumer.documents.gunzip import PlainReader
from consumer.documents.parse import Decoded, decode
from consumer.documents.quarantine import Quarantined
from consumer.documents.readers import Accepted, RowReader, record_reader
from consumer.documents.record_paths import unwrap
from consumer.documents.record_stream import RecordStream
from consumer.documents.storable import find_unstorable, text_problem
from consumer.drift.findings import Drift, find_drift, find_root_drift
from consumer.drift.horizon import AS_OF_FIELD, VERSION_FIELD, Horizon
from consumer.drift.json_types import ROOT_LEVEL
from consumer.errors import Permanent, where
from consumer.load.document import Gap, Identity, StagedDocument
from consumer.rows.fast_path import fast_path_of
from consumer.rows.row_writer import RowWriter
from consumer.spool import Spool
from schemas.aliases import Aliases
from schemas.codes import ErrorCode
from schemas.file_kinds import HEAD_BYTES, kind_by_first_bytes
from schemas.key_templates import DocumentKey
from schemas.registry import CHECKS_FIELD, Source

log = structlog.get_logger()

_numbers = count(1)
_DOCUMENT_NUMBERS = 2**31 - 1
_RUN_RECORDS = 1000
_MAX_RUN_BYTES = 32 << 20  # largest record of a document that is read as a stream
# Of an object in memory; a larger one is streamed. Nothing else runs while the parser does.
_MAX_WHOLE_BYTES = 12 << 20
_DATE_CHARACTERS = len("2024-01-31")
_DETAILED_QUARANTINES = 1000  # of one document; the log counts the others


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's bytes, and whose they are; a spool when they are many."""

    identity: Identity
    source: Source
    key: DocumentKey
    data: bytes | Spool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to load, and the first thousand of the records that were set aside."""

    document: StagedDocument
    quarantined: list[Quarantined]


def prepare(fetched: Fetched, aliases: Aliases, max_bytes: int) -> Prepared:
    """Decode, validate and stage one object of at most `max_bytes` once decompressed. CPU-bound.

    Raises:
        Permanent: the document as a whole is refused; its `drift` is what the root shows.
    """
    try:
        frame, runs = _open(fetched, aliases, max_bytes)
    except DocumentInvalid as error:
        drift = _drift_of(partial(find_root_drift, fetched.source, error.drifted or {}))
        raise Permanent(error.code, str(error), error.errors, drift.findings) from error
    assembly = _Assembly(fetched.identity, frame, aliases)
    for run in runs:
        assembly.add(run)
    prepared = assembly.finish()
    document = prepared.document
    refuse_fewer(frame.root, fetched.key, document.record_count + document.quarantined_count)
    return prepared


def _open(fetched: Fetched, aliases: Aliases, max_bytes: int) -> tuple[Frame, Iterator[Decoded]]:
    data = fetched.data

    def reader() -> PlainReader:
        return PlainReader(data.rewound() if isinstance(data, Spool) else BytesIO(data), max_bytes)

    whole = None if isinstance(data, Spool) else reader().read_all(_MAX_WHOLE_BYTES)
    if whole is None:
        return _open_stream(fetched, reader, aliases)
    decoded = decode(whole)
    frame, rows = _open_frame(fetched, decoded, aliases)
    return frame, _in_runs(rows, suspicious=decoded.suspicious)


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


class _Assembly:
    """One document, read and staged run by run, so that only one run is held as objects."""

    def __init__(self, identity: Identity, frame: Frame, aliases: Aliases) -> None:
        self._identity, self._frame = identity, frame
        self._number = next(_numbers) % _DOCUMENT_NUMBERS
        self._alias_fingerprint = aliases.fingerprint
        self._reader = record_reader(frame, aliases)
        self._rows = RowWriter(frame, self._number)
        self._plain = fast_path_of(self._rows, self._reader, aliases)
        self._horizon = Horizon(identity.last_modified)
        self._positions = count()
        self._record_count = 0
        self._quarantined: list[Quarantined] = []
        self._quarantined_ids: list[str | None] = []
        self._days: Counter[str] = Counter()

    def add(self, run: Decoded) -> None:
        screen = find_unstorable if run.suspicious else None
        for row, position in zip(run.root, self._positions, strict=False):
            if screen is None and self._plain.take(position, row):
                self._accept(row)
                continue
            record = self._reader.read(position, row, screen)
            if isinstance(record, Accepted):
                self._accept(record.record)
                self._rows.add(record)
            else:
                if self._frame.places:
                    record = replace(record, path=self._frame.places.of(position))
                self._quarantined_ids.append(record.record_id)
                if len(self._quarantined) < _DETAILED_QUARANTINES:
                    self._quarantined.append(record)
        self._rows.flush()
        if self._frame.bus_dt is None:
            # What was renamed has its canonical name by now.
            days = (row.get("opnBusDt") for row in run.root if type(row) is dict)
            self._days.update(day[:_DATE_CHARACTERS] for day in days if type(day) is str)

    def _accept(self, record: dict[str, Any]) -> None:
        self._record_count += 1
        if self._horizon.is_beyond(record.get(VERSION_FIELD)):
            self._reader.shapes.future[f"{CHECKS_FIELD}.{VERSION_FIELD}"] += 1

    def finish(self) -> Prepared:
        shapes = self._reader.shapes
        if self._horizon.is_beyond(self._frame.as_of):
            shapes.future[AS_OF_FIELD] += 1
        shapes.count(ROOT_LEVEL, self._frame.root)
        document = StagedDocument(
            self._number,
            self._identity,
            self._frame,
            self._rows.finish(),
            record_count=self._record_count,
            quarantined_count=len(self._quarantined_ids),
            days=self._business_days(),
            gap=self._gap(),
            drift=_drift_of(partial(find_drift, self._frame.source, shapes)),
            alias_fingerprint=self._alias_fingerprint,
        )
        return Prepared(document, self._quarantined)

    def _gap(self) -> Gap | None:
        if not self._quarantined_ids or not isinstance(self._reader, RowReader):
            return None
        return Gap.of(self._reader.record_ids, set(self._quarantined_ids))

    def _business_days(self) -> tuple[date, ...]:
        """Return the document's days, that of most checks first; else the day of its event."""
        if self._frame.bus_dt is not None:
            return (self._frame.bus_dt,)
        days: Counter[date] = Counter()
        for text, checks in self._days.items():
            with suppress(ValueError):
                days[date.fromisoformat(text)] += checks
        ranked = sorted(days, key=lambda day: (-days[day], day))
        return tuple(ranked) or (self._identity.event_time.astimezone(UTC).date(),)


def _drift_of(find: Callable[[], Drift]) -> Drift:
    """Return a document's drift without what no table can hold, or none if it cannot be told."""
    try:
        drift = find()
    except Exception as error:  # noqa: BLE001 - a document loads though its drift is not counted
        log.warning("drift_not_counted", where=where(error))
        return Drift()
    findings = tuple(found for found in drift.findings if text_problem(found.path) is None)
    return replace(drift, findings=findings)
