"""From validated records to rows ready to COPY: what one document adds to a batch.

Full checks and store-day rows become COPY text of their staging tables. Partial checks become
patches: the columns they set and nothing else. Knows tables and COPY, not SQL or connections.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from consumer import copy_text
from consumer.copy_text import NULL, cells, json_cell
from consumer.fields import by_id, details_of
from consumer.patches import check_patch, line_patch, tax_patch
from consumer.spool import Spool
from consumer.tables import (
    CHECK,
    DETAIL,
    DETAIL_COLUMNS,
    DETAIL_LINES,
    FLATTENED,
    GUEST_CHECKS,
    LINE,
    LIST_FIELDS,
    LIST_TABLES,
    TAX,
    TAXES,
)
from schemas.documents import Accepted, is_full
from schemas.frames import Frame
from schemas.guest_checks import LINE_TYPES, UNKNOWN_LINE_TYPE
from schemas.validation import ValidRecord

_MEMORY_BYTES = 4 << 20  # of one table of one document, before a temporary file takes over

STAGE_PATCHES = "stage_patches"
STAGE_SOLD = "stage_sold"

_SLOTS = {
    name: tuple(FLATTENED.index(column) for column in columns.values())
    for name, columns in DETAIL_COLUMNS.items()
}
_NO_DETAIL = [NULL] * len(FLATTENED)


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
            rows.add_check(item.position, item.record)
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

    def add_check(self, position: int, check: ValidRecord) -> None:
        place = [self._document, str(position), self._store]
        if is_full(check):
            self._add_full_check(place, check)
        else:
            self._add_partial_check(place, check)
        for line in check.get("detailLines") or ():
            item = line.get("menuItem")
            if item is not None and item.get("miNum") is not None:
                self._sell(item["miNum"], line.get("busDt") or check.get("opnBusDt"))

    def _add_full_check(self, place: list[str], check: ValidRecord) -> None:
        extra = json_cell(CHECK.unknown(check))
        self._add(GUEST_CHECKS.stage, [*place, *CHECK.cells(check), extra])
        check_id = str(check["guestCheckId"])
        for tax in by_id(check.get("taxes"), "taxNum"):
            extra = json_cell(TAX.unknown(tax))
            self._add(TAXES.stage, [*place, check_id, *TAX.cells(tax), extra])
        for line in by_id(check.get("detailLines"), "guestCheckLineItemId"):
            line_id, *values = LINE.cells(line)
            row = [*place, line_id, check_id, *values, *_detail_cells(line)]
            self._add(DETAIL_LINES.stage, row)

    def _add_partial_check(self, place: list[str], check: ValidRecord) -> None:
        check_id = str(check["guestCheckId"])
        self._add_patch(place, GUEST_CHECKS.name, check_id, NULL, check_patch(check))
        for tax in by_id(check.get("taxes"), "taxNum"):
            tax_num = str(tax["taxNum"])
            self._add_patch(place, TAXES.name, check_id, tax_num, tax_patch(tax))
        for line in by_id(check.get("detailLines"), "guestCheckLineItemId"):
            line_id = str(line["guestCheckLineItemId"])
            self._add_patch(place, DETAIL_LINES.name, check_id, line_id, line_patch(line))

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
        source = self._frame.source
        fields = LIST_FIELDS[source]
        identity = cells((self._frame.bus_dt, item.record_id))
        place = [self._document, str(item.position), self._store, *identity]
        extra = json_cell(fields.unknown(item.record))
        self._add(LIST_TABLES[source].stage, [*place, *fields.cells(item.record), extra])


def _detail_cells(line: ValidRecord) -> list[str]:
    """Write line type, flattened sub-object and extra of a line."""
    unknown = LINE.unknown(line)
    details = details_of(line)
    if not details:
        return [UNKNOWN_LINE_TYPE, *_NO_DETAIL, json_cell(unknown)]
    (name, detail), *further = details
    row = _NO_DETAIL.copy()
    for slot, text in zip(_SLOTS[name], DETAIL[name].cells(detail), strict=True):
        row[slot] = text
    nested = DETAIL[name].unknown(detail)
    if nested or further:
        unknown = (unknown or {}) | ({name: nested} if nested else {}) | dict(further)
    return [LINE_TYPES[name], *row, json_cell(unknown)]
