"""From decoded records to validated ones: renames, contracts, quarantine, unknown fields.

A bad record is set aside with every error it has, and its neighbours go on. Pure: the same
records and aliases give the same result.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from schemas.aliases import Aliases, AmbiguousField, Renames, apply_renames
from schemas.codes import ErrorCode
from schemas.frames import Frame
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Record
from schemas.quarantine import Quarantined, RecordError, cut_short, quarantine, quarantine_problem
from schemas.sources import Source
from schemas.storable import Problem
from schemas.store_days import CHECKS_FIELD, STORE_DAY_LISTS

_TAXES, _LINES = f"{CHECKS_FIELD}.taxes", f"{CHECKS_FIELD}.detailLines"

Screen = Callable[[Any], Problem | None]

# Drift kinds of a Finding
UNKNOWN, DUPLICATE, LINE_TYPE = "unknown", "duplicate", "line_type"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of drift at one path of a source; the path passes through lists."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A valid record, its place in the document's list and its id."""

    position: int
    record_id: str
    record: Record


@dataclass(slots=True)
class Records:
    """The outcome of validating some of a document's records."""

    accepted: list[Accepted] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    findings: Counter[Finding] = field(default_factory=Counter)


def read_records(
    frame: Frame, rows: Iterable[Any], aliases: Aliases, screen: Screen | None = None
) -> Records:
    """Validate the records of one document.

    Never raises for what a record holds. Renamed fields get their canonical names in place.
    A record in which `screen` finds a problem is quarantined for it.
    """
    if frame.source.holds_checks:
        return _read_checks(frame.source, rows, aliases, screen)
    return _read_rows(frame.source, rows, aliases, screen)


def _read_checks(
    source: Source, rows: Iterable[Any], aliases: Aliases, screen: Screen | None
) -> Records:
    found = Records()
    renames = _CheckRenames(source, aliases)
    validate = GuestCheck.__pydantic_validator__.validate_python
    seen: set[tuple[int, bool]] = set()
    for position, row in enumerate(rows):
        path = f"{CHECKS_FIELD}[{position}]"
        if bad := _unreadable(path, row, "guestCheckId", screen):
            found.quarantined.append(bad)
            continue
        try:
            renames.apply(row)
            check = validate(row)
        except (ValidationError, AmbiguousField) as error:
            found.quarantined.append(quarantine(path, _id_of(row, "guestCheckId"), error))
            continue
        identity = (check.guestCheckId, check.is_full)
        if identity in seen:
            found.findings[Finding(CHECKS_FIELD, DUPLICATE)] += 1
        seen.add(identity)
        _find_unknown(check, found.findings)
        found.accepted.append(Accepted(position, str(check.guestCheckId), check))
    return found


def _read_rows(
    source: Source, rows: Iterable[Any], aliases: Aliases, screen: Screen | None
) -> Records:
    found = Records()
    shape = STORE_DAY_LISTS[source]
    renames = aliases.at(source, shape.field)
    validate = shape.model.__pydantic_validator__.validate_python
    occurrences: Counter[str] = Counter()
    seen: set[str] = set()
    for position, row in enumerate(rows):
        path = f"{shape.field}[{position}]"
        if bad := _unreadable(path, row, shape.id_field, screen):
            found.quarantined.append(bad)
            continue
        try:
            apply_renames(row, renames)
            record = validate(row)
        except (ValidationError, AmbiguousField) as error:
            found.quarantined.append(quarantine(path, _id_of(row, shape.id_field), error))
            continue
        record_id = getattr(record, shape.id_field) or _content_id(row, occurrences)
        if record_id in seen:
            found.findings[Finding(shape.field, DUPLICATE)] += 1
        seen.add(record_id)
        for name in record.__pydantic_extra__ or ():
            found.findings[Finding(f"{shape.field}.{name}", UNKNOWN)] += 1
        found.accepted.append(Accepted(position, record_id, record))
    return found


class _CheckRenames:
    """The renames of every level of a check, looked up once per document."""

    def __init__(self, source: Source, aliases: Aliases) -> None:
        self._check = aliases.at(source, CHECKS_FIELD)
        self._tax = aliases.at(source, _TAXES)
        self._line = aliases.at(source, _LINES)
        details = {name: aliases.at(source, f"{_LINES}.{name}") for name in LINE_TYPES}
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


def _rename_all(records: Any, renames: Renames) -> None:
    if renames and isinstance(records, list):
        for record in records:
            if isinstance(record, dict):
                apply_renames(record, renames)


def _find_unknown(check: GuestCheck, findings: Counter[Finding]) -> None:
    for name in check.__pydantic_extra__ or ():
        findings[Finding(f"{CHECKS_FIELD}.{name}", UNKNOWN)] += 1
    for tax in check.taxes or ():
        for name in tax.__pydantic_extra__ or ():
            findings[Finding(f"{_TAXES}.{name}", UNKNOWN)] += 1
    for line in check.detailLines or ():
        _find_unknown_in_line(line, findings)


def _find_unknown_in_line(line: DetailLine, findings: Counter[Finding]) -> None:
    for name in line.__pydantic_extra__ or ():
        findings[Finding(f"{_LINES}.{name}", UNKNOWN)] += 1
    details = 0
    fields = line.__dict__
    for detail_name in LINE_TYPES:
        detail = fields[detail_name]
        if detail is not None:
            details += 1
            for name in detail.__pydantic_extra__ or ():
                findings[Finding(f"{_LINES}.{detail_name}.{name}", UNKNOWN)] += 1
    if details != 1:
        findings[Finding(_LINES, LINE_TYPE)] += 1


def _unreadable(path: str, row: Any, id_field: str, screen: Screen | None) -> Quarantined | None:
    if not isinstance(row, dict):
        problem = RecordError("", "expected an object", cut_short(row))
        return quarantine_problem(path, None, ErrorCode.SCHEMA_INVALID, problem)
    if screen is not None and (found := screen(row)):
        return quarantine_problem(path, _id_of(row, id_field), *found)
    return None


def _id_of(row: dict[str, Any], name: str) -> str | None:
    value = row.get(name)
    return str(value)[:100] if isinstance(value, str | int | Decimal) else None


def _content_id(row: dict[str, Any], occurrences: Counter[str]) -> str:
    """Derive an id from a row's content and how often that content came before in the file.

    The same content twice is two rows, and the same file twice is not four.
    """
    canonical = json.dumps(row, sort_keys=True, default=_canonical_decimal)
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:32]
    occurrences[digest] += 1
    return f"content:{digest}:{occurrences[digest]}"


def _canonical_decimal(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value.normalize())
    raise TypeError(f"not a JSON value: {type(value).__name__}")
