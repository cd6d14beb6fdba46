"""One document in the making: records become rows, run by run, and what they show is counted."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date
from functools import partial
from itertools import count
from typing import Any

import structlog

from consumer.decoding.cutting import Cut, reading_fingerprint
from consumer.decoding.parse import Decoded
from consumer.decoding.storable import find_unstorable, text_problem
from consumer.documents.frames import Frame
from consumer.documents.quarantine import Quarantined
from consumer.documents.readers import Accepted, CheckReader, RowReader, record_reader
from consumer.drift.findings import Drift, find_drift
from consumer.drift.horizon import AS_OF_FIELD, VERSION_FIELD, Horizon
from consumer.drift.json_types import ROOT_LEVEL
from consumer.errors import where
from consumer.load.document import Gap, Identity, StagedDocument
from consumer.load.standing import Standing
from consumer.rows.fast_path import fast_path_of
from consumer.rows.row_writer import RowWriter
from schemas.aliases import Aliases
from schemas.registry import CHECKS_FIELD

log = structlog.get_logger()

_numbers = count(1)
_DOCUMENT_NUMBERS = 2**31 - 1
_DATE_CHARACTERS = len("2024-01-31")
_DETAILED_QUARANTINES = 1000  # of one document; the log counts the others


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to load, and the first thousand of the records that were set aside."""

    document: StagedDocument
    quarantined: list[Quarantined]


class Assembly:
    """One document, read and staged run by run, so that only one run is held as objects."""

    def __init__(
        self,
        identity: Identity,
        frame: Frame,
        aliases: Aliases,
        cut: Cut | None = None,
    ) -> None:
        self._cut = cut
        digests = cut.digests if cut and frame.source.holds_checks else None
        self._identity, self._frame = identity, frame
        self._number = next(_numbers) % _DOCUMENT_NUMBERS
        self._aliases = aliases
        self._reader = record_reader(frame, aliases)
        self._rows = RowWriter(frame, self._number, digests)
        self._plain = fast_path_of(self._rows, self._reader, aliases)
        self._horizon = Horizon(identity.last_modified)
        self._positions = count()
        self._record_count = self._unchanged_count = 0
        self._quarantined: list[Quarantined] = []
        self._quarantined_ids: list[str | None] = []
        self._days: Counter[str] = Counter()

    def skip(self, standing: Standing) -> None:
        """Take the records that stand unchanged; they are not read."""
        ids = self._cut.ids if self._cut else None
        for position, day in standing.items():
            if ids is not None and isinstance(self._reader, CheckReader):
                self._rows.skip(position, ids[position])
                self._reader.skip(ids[position])
            if self._frame.bus_dt is None and day is not None:
                self._days[day.isoformat()] += 1
        self._record_count = self._unchanged_count = len(standing)

    @property
    def repeats_checks(self) -> bool:
        """Whether a check came twice: then which of them counts is told only by all of them."""
        return self._reader.shapes.duplicates[CHECKS_FIELD] > 0

    def add(self, run: Decoded, positions: Iterable[int] | None = None) -> None:
        """Read records, at these positions of the document, else behind those before them."""
        screen = find_unstorable if run.suspicious else None
        for row, position in zip(run.root, positions or self._positions, strict=False):
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
        """Return the document; nothing is added afterwards."""
        shapes = self._reader.shapes
        if self._horizon.is_beyond(self._frame.as_of):
            shapes.future[AS_OF_FIELD] += 1
        shapes.count(ROOT_LEVEL, self._frame.root)
        drift = drift_of(partial(find_drift, self._frame.source, shapes))
        document = StagedDocument(
            self._number,
            self._identity,
            self._frame,
            self._rows.finish(),
            record_count=self._record_count,
            unchanged_count=self._unchanged_count,
            quarantined_count=len(self._quarantined_ids),
            days=self._business_days(),
            gap=self._gap(),
            drift=drift.of_records() if self._unchanged_count else drift,
            alias_fingerprint=self._aliases.fingerprint,
            read_as=reading_fingerprint(self._frame.source, self._aliases),
            digest=self._cut.list_digest if self._cut else None,
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


def drift_of(find: Callable[[], Drift]) -> Drift:
    """Return a document's drift without what no table can hold, or none if it cannot be told."""
    try:
        drift = find()
    except Exception as error:  # noqa: BLE001 - a document loads though its drift is not counted
        log.warning("drift_not_counted", where=where(error))
        return Drift()
    findings = tuple(found for found in drift.findings if text_problem(found.path) is None)
    return replace(drift, findings=findings)
