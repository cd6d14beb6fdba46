"""From decoded records to validated ones: renames, contracts, quarantine.

A bad record is set aside with every error it has, and its neighbours go on. Pure: the same
records and aliases give the same result.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from operator import itemgetter
from typing import Any

from pydantic import TypeAdapter, ValidationError

from consumer.documents.frames import Frame
from consumer.documents.odd_values import set_aside
from consumer.documents.quarantine import Quarantined, cut_short, quarantine, quarantine_problem
from consumer.documents.storable import Problem, RepeatedKeys, text_problem
from consumer.documents.validation import ValidRecord, every_error, validator
from consumer.drift.json_types import DETAIL_LEVELS, LINES_LEVEL, TAXES_LEVEL
from consumer.drift.shapes import Shapes
from consumer.errors import RecordError
from schemas.aliases import Aliases, AmbiguousField, Renames, apply_renames
from schemas.codes import ErrorCode
from schemas.fields import Record, RecordId
from schemas.guest_checks import GuestCheck
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

    def __init__(self) -> None:
        self.shapes = Shapes()

    @abstractmethod
    def read(self, position: int, row: Any, screen: Screen | None = None) -> Accepted | Quarantined:
        """Validate one record; never raises for what it holds. Renames its fields in place.

        A record in which `screen` finds a problem is quarantined for it.
        """


def record_reader(frame: Frame, aliases: Aliases) -> "CheckReader | RowReader":
    """Return the reader for one document's records."""
    if frame.source.holds_checks:
        return CheckReader(frame.source, aliases)
    return RowReader(frame.source, aliases)


class CheckReader(RecordReader):
    """Validates guest checks."""

    def __init__(self, source: Source, aliases: Aliases) -> None:
        super().__init__()
        self._renames = _CheckRenames(source, aliases)
        self._seen: set[int] = set()

    def read(self, position: int, row: Any, screen: Screen | None = None) -> Accepted | Quarantined:
        """Validate one record."""
        path = f"{CHECKS_FIELD}[{position}]"
        if bad := _unreadable(path, row, "guestCheckId", screen):
            return bad
        try:
            self._renames.apply(row)
            self.shapes.count_check(row)
            check = _validated(GuestCheck, row)
        except AmbiguousField as error:
            return quarantine(path, _id_of(row, "guestCheckId", error), error)
        except ValidationError as error:
            errors = every_error(GuestCheck, row, error)
            return quarantine(path, _id_of(row, "guestCheckId", errors), errors)
        self.remember(check)
        return Accepted(position, str(check["guestCheckId"]), check)

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


class RowReader(RecordReader):
    """Validates the rows of a store-day list."""

    def __init__(self, source: Source, aliases: Aliases) -> None:
        super().__init__()
        entry = source.entry
        self._level, self._id_field = entry.list_field, entry.id_field
        self._renames = aliases.at(source, entry.list_field)
        self._model = entry.model
        self._occurrences: Counter[str] = Counter()
        self._seen: set[str] = set()

    def read(self, position: int, row: Any, screen: Screen | None = None) -> Accepted | Quarantined:
        """Validate one record."""
        path = f"{self._level}[{position}]"
        if bad := _unreadable(path, row, self._id_field, screen):
            return bad
        try:
            apply_renames(row, self._renames)
            self.shapes.count(self._level, row)
            record = _validated(self._model, row)
        except (ValidationError, AmbiguousField) as error:
            return quarantine(path, _id_of(row, self._id_field, error), error)
        record_id = record.get(self._id_field) or _content_id(row, self._occurrences)
        self.remember(record_id)
        return Accepted(position, record_id, record)

    @property
    def record_ids(self) -> set[str]:
        """The ids of the valid rows so far."""
        return self._seen

    def remember(self, record_id: str) -> None:
        """Count an id that came before."""
        if record_id in self._seen:
            self.shapes.duplicates[self._level] += 1
        self._seen.add(record_id)


class _CheckRenames:
    """The renames of every level of a check, looked up once per document."""

    def __init__(self, source: Source, aliases: Aliases) -> None:
        self._check = aliases.at(source, CHECKS_FIELD)
        self._tax = aliases.at(source, TAXES_LEVEL)
        self._line = aliases.at(source, LINES_LEVEL)
        details = {name: aliases.at(source, level) for name, level in DETAIL_LEVELS.items()}
        self._details = {name: renames for name, renames in details.items() if renames}

    def apply(self, check: dict[str, Any]) -> None:
        apply_renames(check, self._check)
        _rename_all(check.get("taxes"), self._tax)
        lines = check.get("detailLines")
        _rename_all(lines, self._line)
        if self._details and isinstance(lines, list):
            for name, renames in self._details.items():
                details = (line.get(name) for line in lines if isinstance(line, dict))
                _rename_all([detail for detail in details if detail is not None], renames)


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
    if renames and isinstance(records, list):
        for record in records:
            if isinstance(record, dict):
                apply_renames(record, renames)


def _unreadable(path: str, row: Any, id_field: str, screen: Screen | None) -> Quarantined | None:
    if not isinstance(row, dict):
        problem = RecordError("", "expected an object", cut_short(row))
        return quarantine_problem(path, None, ErrorCode.SCHEMA_INVALID, problem)
    if screen is not None and (found := screen(row)):
        return quarantine_problem(path, _id_of(row, id_field), *found)
    return None


def _id_of(row: dict[str, Any], name: str, error: Exception | None = None) -> str | None:
    """Return the id that a bad record is stored under, or None when that cannot be told."""
    if isinstance(row, RepeatedKeys) and name in row.repeated:
        return None
    if isinstance(error, AmbiguousField) and error.canonical == name:
        return None
    try:
        record_id = _ANY_ID.validate_python(row.get(name))
    except ValidationError:
        return None
    return None if not record_id or text_problem(record_id) else record_id


def _content_id(row: dict[str, Any], occurrences: Counter[str]) -> str:
    """Derive an id from a row's content and how often that content came before in the file.

    The same content twice is two rows, and the same file twice is not four.
    """
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
