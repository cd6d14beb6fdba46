"""From decoded records to validated ones: renames, contracts, quarantine.

A bad record is set aside with every error it has, and its neighbours go on.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from functools import partial
from operator import itemgetter
from typing import Any

from pydantic import TypeAdapter, ValidationError

from consumer.decoding.showing import cut_short
from consumer.decoding.storable import Problem, RepeatedKeys, text_problem
from consumer.documents.frames import Frame
from consumer.documents.odd_values import set_aside
from consumer.documents.quarantine import Quarantined, ambiguous, record_errors
from consumer.documents.validation import ValidRecord, every_error, validator
from consumer.drift.json_types import DETAIL_LEVELS, LINES_LEVEL, TAXES_LEVEL
from consumer.drift.shapes import Shapes
from consumer.errors import RecordError
from schemas.aliases import Aliases, AmbiguousField, Renames, apply_renames
from schemas.codes import ErrorCode
from schemas.fields import Record, RecordId
from schemas.registry import CHECKS_FIELD, Source

Screen = Callable[[Any], Problem | None]

_ANY_ID = TypeAdapter(RecordId)
_TAX_ID, _LINE_ID = itemgetter("taxNum"), itemgetter("guestCheckLineItemId")
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A valid record, its place in the document's list and its id."""

    position: int
    record_id: str
    record: ValidRecord


def is_full(check: ValidRecord) -> bool:
    """Say whether a check carries its own version: then it is all of the check."""
    return check.get("lastUpdatedUTC") is not None


class RecordReader(ABC):
    """Validates the records of one document, one after the other, in their order.

    `shapes` counts what records look like, valid or not, and ids that came before.
    """

    def __init__(self, source: Source, aliases: Aliases) -> None:
        self.shapes = Shapes()
        self._entry = source.entry
        self._renames_at = partial(aliases.at, source)

    def read(self, position: int, row: Any, screen: Screen | None = None) -> Accepted | Quarantined:
        """Validate one record, unless `screen` finds a problem; renames its fields in place."""
        path = f"{self._entry.list_field}[{position}]"
        if not isinstance(row, dict):
            problem = RecordError("", "expected an object", cut_short(row))
            return Quarantined(path, None, ErrorCode.SCHEMA_INVALID, (problem,))
        if screen is not None and (found := screen(row)):
            code, problem = found
            return Quarantined(path, self._id_of(row), code, (problem,))
        try:
            self._prepare(row)
            record = _validated(self._entry.model, row)
        except AmbiguousField as error:
            found_id, problem = self._id_of(row, error), ambiguous(error)
            return Quarantined(path, found_id, ErrorCode.AMBIGUOUS_FIELD, (problem,))
        except ValidationError as error:
            errors = record_errors(every_error(self._entry.model, row, error))
            return Quarantined(path, self._id_of(row), ErrorCode.SCHEMA_INVALID, errors)
        return Accepted(position, self._take(row, record), record)

    @abstractmethod
    def _prepare(self, row: dict[str, Any]) -> None:
        """Give fields their canonical names, in place, and count the shapes."""

    @abstractmethod
    def _take(self, row: dict[str, Any], record: ValidRecord) -> str:
        """Remember a valid record; returns its id."""

    def _id_of(self, row: dict[str, Any], error: AmbiguousField | None = None) -> str | None:
        """Return the id that a bad record is stored under, or None when that cannot be told."""
        name = self._entry.id_field
        if (isinstance(row, RepeatedKeys) and name in row.repeated) or (
            error is not None and error.canonical == name
        ):
            return None
        try:
            record_id = _ANY_ID.validate_python(row.get(name))
        except ValidationError:
            return None
        return None if not record_id or text_problem(record_id) else record_id


class CheckReader(RecordReader):
    """Validates guest checks."""

    def __init__(self, source: Source, aliases: Aliases) -> None:
        super().__init__(source, aliases)
        self._seen: set[int] = set()

    def skip(self, check_id: int) -> None:
        """Remember a check that is not read."""
        self._seen.add(check_id)

    def remember(self, check: ValidRecord) -> None:
        """Count ids that came before: a check's in the document, a child's in its check."""
        repeated, check_id = self.shapes.duplicates, check["guestCheckId"]
        if taxes := check.get("taxes"):
            repeated[TAXES_LEVEL] += len(taxes) - len(set(map(_TAX_ID, taxes)))
        if lines := check.get("detailLines"):
            repeated[LINES_LEVEL] += len(lines) - len(set(map(_LINE_ID, lines)))
        if check_id in self._seen:
            repeated[CHECKS_FIELD] += 1
        self._seen.add(check_id)

    def _prepare(self, row: dict[str, Any]) -> None:
        apply_renames(row, self._renames_at(CHECKS_FIELD))
        _rename_all(row.get("taxes"), self._renames_at(TAXES_LEVEL))
        lines = row.get("detailLines")
        _rename_all(lines, self._renames_at(LINES_LEVEL))
        for name, level in DETAIL_LEVELS.items():
            if isinstance(lines, list) and (renames := self._renames_at(level)):
                details = [line.get(name) for line in lines if isinstance(line, dict)]
                _rename_all(details, renames)
        self.shapes.count_check(row)

    def _take(self, _row: dict[str, Any], record: ValidRecord) -> str:
        self.remember(record)
        return str(record["guestCheckId"])


class RowReader(RecordReader):
    """Validates the rows of a store-day list; `record_ids` are those of the valid ones so far."""

    def __init__(self, source: Source, aliases: Aliases) -> None:
        super().__init__(source, aliases)
        self.record_ids: set[str] = set()
        self._occurrences: Counter[str] = Counter()

    def remember(self, record_id: str) -> None:
        """Count an id that came before."""
        if record_id in self.record_ids:
            self.shapes.duplicates[self._entry.list_field] += 1
        self.record_ids.add(record_id)

    def _prepare(self, row: dict[str, Any]) -> None:
        apply_renames(row, self._renames_at(self._entry.list_field))
        self.shapes.count(self._entry.list_field, row)

    def _take(self, row: dict[str, Any], record: ValidRecord) -> str:
        record_id = record.get(self._entry.id_field) or _content_id(row, self._occurrences)
        self.remember(record_id)
        return str(record_id)


def record_reader(frame: Frame, aliases: Aliases) -> CheckReader | RowReader:
    """Return the reader for one document's records."""
    kind = CheckReader if frame.source.holds_checks else RowReader
    return kind(frame.source, aliases)


def _validated(model: type[Record], row: dict[str, Any]) -> ValidRecord:
    """Validate a record; odd values that can be kept are out of its way."""
    validate = validator(model)
    try:
        return validate(row)
    except ValidationError:
        if not set_aside(model, row):
            raise
        return validate(row)


def _rename_all(records: Any, renames: Renames) -> None:
    for record in records if renames and isinstance(records, list) else ():
        if isinstance(record, dict):
            apply_renames(record, renames)


def _content_id(row: dict[str, Any], occurrences: Counter[str]) -> str:
    """Derive an id from a row's content: twice the same is two rows, the file twice is not four."""
    canonical = json.dumps(_canonical(row), sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:32]
    occurrences[digest] += 1
    return f"content:{digest}:{occurrences[digest]}"


def _canonical(value: Any) -> Any:
    """Write a decoded value so that equal numbers, such as 10 and 10.0, are equal text."""
    if isinstance(value, dict):
        return {name: _canonical(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_canonical(child) for child in value]
    if isinstance(value, Decimal) or type(value) is int:
        return f"number {Decimal(value).normalize(_EXACT)}"
    return value
