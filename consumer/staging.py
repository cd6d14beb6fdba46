"""From validated records to rows ready to COPY: what one document adds to a batch.

Full checks and store-day rows become COPY text of their staging tables. Partial checks become
patches: the columns they set and nothing else. Knows tables and COPY, not SQL or connections.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from consumer import copy_text
from consumer.copy_text import NULL, cell, cells, json_cell
from consumer.spool import Spool
from consumer.tables import (
    DETAIL_COLUMNS,
    DETAIL_LINES,
    FLATTENED,
    GUEST_CHECKS,
    HEADER_FIELDS,
    LINE_FIELDS,
    LIST_TABLES,
    TAX_FIELDS,
    TAXES,
    column_name,
)
from schemas.documents import Accepted
from schemas.frames import Frame
from schemas.guest_checks import LINE_TYPES, UNKNOWN_LINE_TYPE, DetailLine, GuestCheck, Record, Tax

_MEMORY_BYTES = 4 << 20  # of one table of one document, before a temporary file takes over

STAGE_PATCHES = "stage_patches"
STAGE_SOLD = "stage_sold"

_HEADER_COUNT = len(HEADER_FIELDS)
# What makes a check partial is that it has no version, not even a null that would erase one.
_PATCHED_HEADER_FIELDS = tuple(
    name for name in HEADER_FIELDS if name not in ("guestCheckId", "lastUpdatedUTC")
)
_LINE_COUNT = len(LINE_FIELDS)
_SLOTS = {
    name: tuple((FLATTENED.index(column), field) for field, column in columns.items())
    for name, columns in DETAIL_COLUMNS.items()
}
_NO_DETAIL = [NULL] * len(FLATTENED)

Child = TypeVar("Child", Tax, DetailLine)


@dataclass(slots=True)
class Staged:
    """Rows of one document by staging table, as COPY text; `row_count` counts all of them."""

    tables: dict[str, Spool] = field(default_factory=dict)
    row_count: int = 0

    @property
    def byte_count(self) -> int:
        """Size of the COPY text in bytes."""
        return sum(spool.byte_count for spool in self.tables.values())

    def append(self, table: str, lines: list[str]) -> None:
        """Add rows to a staging table; many of them go to a temporary file."""
        spool = self.tables.setdefault(table, Spool(_MEMORY_BYTES))
        spool.append("".join(lines).encode())
        self.row_count += len(lines)


def stage(frame: Frame, accepted: Iterable[Accepted], document_number: int, staged: Staged) -> None:
    """Write valid records of a document as rows, and add them to what is staged of it.

    Args:
        frame: The document's frame.
        accepted: All of its valid records, or some.
        document_number: Unique in its batch; ties rows to `stage_documents`.
        staged: Where the rows go.
    """
    rows = _Rows(frame, document_number)
    if frame.source.holds_checks:
        for item in accepted:
            rows.add_check(item.position, item.record)  # type: ignore[arg-type]  # holds_checks
    else:
        for item in accepted:
            rows.add_row(item)
    rows.finish(staged)


class _Rows:
    """Collects the rows of one document."""

    def __init__(self, frame: Frame, document_number: int) -> None:
        self._frame = frame
        self._document = str(document_number)
        self._store = copy_text.escape(frame.store_id)
        self._lines: defaultdict[str, list[str]] = defaultdict(list)
        self._sold: dict[int, tuple[date, date] | None] = {}

    def finish(self, staged: Staged) -> None:
        for item, days in self._sold.items():
            first, last = days or (None, None)
            self._add(STAGE_SOLD, [self._store, str(item), *cells((first, last))])
        for table, lines in self._lines.items():
            staged.append(table, lines)

    def _add(self, table: str, row: list[str]) -> None:
        self._lines[table].append(copy_text.line(row))

    def add_check(self, position: int, check: GuestCheck) -> None:
        place = [self._document, str(position), self._store]
        if check.is_full:
            self._add_full_check(place, check)
        else:
            self._add_partial_check(place, check)
        for line in check.detailLines or ():
            if line.menuItem is not None and line.menuItem.miNum is not None:
                self._sell(line.menuItem.miNum, line.busDt or check.opnBusDt)

    def _add_full_check(self, place: list[str], check: GuestCheck) -> None:
        header = list(check.__dict__.values())[:_HEADER_COUNT]
        extra = json_cell(check.__pydantic_extra__)
        self._add(GUEST_CHECKS.stage, [*place, *cells(header), extra])
        check_id = str(check.guestCheckId)
        for tax in _by_id(check.taxes, "taxNum"):
            values = cells(tax.__dict__.values())
            extra = json_cell(tax.__pydantic_extra__)
            self._add(TAXES.stage, [*place, check_id, *values, extra])
        for line in _by_id(check.detailLines, "guestCheckLineItemId"):
            values = cells(list(line.__dict__.values())[:_LINE_COUNT])
            row = [*place, values[0], check_id, *values[1:], *_detail_cells(line)]
            self._add(DETAIL_LINES.stage, row)

    def _add_partial_check(self, place: list[str], check: GuestCheck) -> None:
        check_id = str(check.guestCheckId)
        patch = _patch(check, _PATCHED_HEADER_FIELDS)
        self._add_patch(place, GUEST_CHECKS.name, check_id, NULL, patch)
        for tax in _by_id(check.taxes, "taxNum"):
            patch = _patch(tax, TAX_FIELDS[1:])
            self._add_patch(place, TAXES.name, check_id, str(tax.taxNum), patch)
        for line in _by_id(check.detailLines, "guestCheckLineItemId"):
            line_id = str(line.guestCheckLineItemId)
            self._add_patch(place, DETAIL_LINES.name, check_id, line_id, _line_patch(line))

    def _add_patch(
        self, place: list[str], table: str, check_id: str, child_id: str, patch: dict[str, Any]
    ) -> None:
        text = copy_text.escape(copy_text.json_text(patch))
        self._add(STAGE_PATCHES, [*place, table, check_id, child_id, text])

    def _sell(self, item: int, day: date | None) -> None:
        known = self._sold.setdefault(item, None)
        if day is not None:
            self._sold[item] = (min(known[0], day), max(known[1], day)) if known else (day, day)

    def add_row(self, item: Accepted) -> None:
        values = list(item.record.__dict__.values())[1:]
        row = [
            self._document,
            str(item.position),
            self._store,
            *cells((self._frame.bus_dt, item.record_id, *values)),
            json_cell(item.record.__pydantic_extra__),
        ]
        self._add(LIST_TABLES[self._frame.source].stage, row)


def _by_id(children: list[Child] | None, id_field: str) -> Iterable[Child]:
    """Give a check's children; of two with one id the later counts."""
    return {child.__dict__[id_field]: child for child in children or ()}.values()


def _detail_cells(line: DetailLine) -> list[str]:
    """Write line type, flattened sub-object and extra of a line."""
    details = _details(line)
    if not details:
        return [UNKNOWN_LINE_TYPE, *_NO_DETAIL, json_cell(line.__pydantic_extra__)]
    name, detail = details[0]
    row = _NO_DETAIL.copy()
    values = detail.__dict__
    for slot, field_name in _SLOTS[name]:
        if values[field_name] is not None:
            row[slot] = cell(values[field_name])
    return [LINE_TYPES[name], *row, json_cell(_line_extra(line, details))]


def _details(line: DetailLine) -> list[tuple[str, Record]]:
    """Return a line's sub-objects; the first names its type."""
    fields = line.__dict__
    return [(name, fields[name]) for name in LINE_TYPES if fields[name] is not None]


def _line_extra(line: DetailLine, details: list[tuple[str, Record]]) -> dict[str, Any] | None:
    """Collect what has no column: unknown fields of line and sub-object, further sub-objects."""
    (name, detail), *further = details
    unknown = detail.__pydantic_extra__
    if not unknown and not further:
        return line.__pydantic_extra__
    extra = dict(line.__pydantic_extra__ or {})
    if unknown:
        extra[name] = unknown
    return extra | {name: detail.model_dump(exclude_unset=True) for name, detail in further}


def _patch(record: GuestCheck | Tax | DetailLine, fields: tuple[str, ...]) -> dict[str, Any]:
    """Map the columns that a partial record sets to their values; `+name` is a field of extra."""
    sent = record.model_fields_set
    patch = {column_name(name): _plain(record.__dict__[name]) for name in fields if name in sent}
    return patch | {f"+{name}": value for name, value in (record.__pydantic_extra__ or {}).items()}


def _line_patch(line: DetailLine) -> dict[str, Any]:
    patch = _patch(line, LINE_FIELDS[1:])
    for number, (name, detail) in enumerate(_details(line)):
        if number:
            patch[f"+{name}"] = detail.model_dump(exclude_unset=True)
            continue
        patch["line_type"] = LINE_TYPES[name]
        columns = DETAIL_COLUMNS[name]
        sent = detail.model_fields_set
        patch |= {columns[key]: _plain(detail.__dict__[key]) for key in columns if key in sent}
        if detail.__pydantic_extra__:
            patch[f"+{name}"] = detail.__pydantic_extra__
    return patch


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
