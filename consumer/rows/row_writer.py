"""From validated records to rows ready to COPY: what one document adds to a batch.

Full checks and store-day rows become COPY text of their staging tables. Partial checks become
patches: the columns they set and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from consumer.documents.frames import Frame
from consumer.documents.readers import Accepted, is_full
from consumer.documents.validation import ValidRecord
from consumer.rows import copy_text, tables
from consumer.rows.copy_text import NULL, cells, json_cell, line
from consumer.rows.fields import Fields, by_id, details_of
from consumer.rows.tables import CHECK, DETAIL, DETAIL_LINES, GUEST_CHECKS, LINE, TAX, TAXES
from consumer.spool import Spool
from schemas.columns import column_name
from schemas.guest_checks import LINE_TYPES, UNKNOWN_LINE_TYPE

_MEMORY_BYTES = 4 << 20  # of one table of one document, before a temporary file takes over

STAGE_PATCHES = "stage_patches"
STAGE_SOLD = "stage_sold"
STAGE_UNCHANGED = "stage_unchanged"

Sale = tuple[int, str | None]  # an item that was on a line, and the line's business day

# What makes a check partial is that it has no version, not even a null that would erase one.
_NOT_PATCHED = frozenset({"guestCheckId", "lastUpdatedUTC", "taxNum", "guestCheckLineItemId"})

NO_DETAIL = [UNKNOWN_LINE_TYPE, *[NULL] * len(tables.FLATTENED)]


@dataclass(frozen=True, slots=True)
class StagedRows:
    """Rows of one document by staging table, as COPY text; `row_count` counts all of them."""

    tables: Mapping[str, Spool]
    row_count: int

    @property
    def byte_count(self) -> int:
        """Size of the COPY text in bytes."""
        return sum(spool.byte_count for spool in self.tables.values())


class RowWriter:
    """Writes valid records of one document as rows; `sold` takes what is on the lines.

    `document_number` is unique in its batch and ties rows to `stage_documents`. `digests` are of
    the records by their positions; without any, nothing will be known by its digest later.
    """

    def __init__(
        self, frame: Frame, document_number: int, digests: Sequence[bytes] | None = None
    ) -> None:
        self._digests = digests
        self.source = frame.source
        self._document = str(document_number)
        self._store, self._day = cells((frame.store_id, frame.bus_dt))
        self._lines: defaultdict[str, list[str]] = defaultdict(list)
        self._tables: dict[str, Spool] = {}
        self._row_count = 0
        self.sold: set[Sale] = set()

    def place(self, position: int) -> str:
        """Return the first cells of all rows of the record at a position."""
        return f"{self._document}\t{position}\t{self._store}\t"

    def day_place(self, position: int, record_id: str) -> str:
        """Return the first cells of a store-day list's row."""
        return f"{self.place(position)}{self._day}\t{copy_text.escape(record_id)}\t"

    def digest_cell(self, position: int) -> str:
        """Return the cell with the digest of the record at a position."""
        return NULL if self._digests is None else f"\\\\x{self._digests[position].hex()}"

    def write(self, table: str, lines: Iterable[str]) -> None:
        """Take rows of a staging table, each of them a line of COPY text."""
        self._lines[table] += lines

    def flush(self) -> None:
        """Pack the rows so far: many go to a temporary file, all may be too many for memory."""
        for table, lines in self._lines.items():
            if lines:
                spool = self._tables.setdefault(table, Spool(_MEMORY_BYTES))
                spool.append("".join(lines).encode())
                self._row_count += len(lines)
        self._lines.clear()

    def skip(self, position: int, check_id: int) -> None:
        """Write that the check at a position stands as it is."""
        row = f"{self.place(position)}{check_id}\t{self.digest_cell(position)}\n"
        self.write(STAGE_UNCHANGED, (row,))

    def finish(self) -> StagedRows:
        """Return the rows of the whole document; nothing is written afterwards."""
        days: defaultdict[int, list[str]] = defaultdict(list)
        for item, day in self.sold:
            days[item] += [day] if day else []
        for item, known in sorted(days.items()):
            first, last = (min(known), max(known)) if known else (NULL, NULL)
            self.write(STAGE_SOLD, [f"{self._store}\t{item}\t{first}\t{last}\n"])
        self.flush()
        return StagedRows(self._tables, self._row_count)

    def add(self, item: Accepted) -> None:
        """Write a validated record."""
        if not self.source.holds_checks:
            self._add_row(item)
            return
        place, check = self.place(item.position), item.record
        if is_full(check):
            self._add_full_check(item.position, check)
        else:
            self._add_partial_check(place, check)
        for child in check.get("detailLines") or ():
            sold = child.get("menuItem")
            if sold is not None and sold.get("miNum") is not None:
                day = child.get("busDt") or check.get("opnBusDt")
                self.sold.add((sold["miNum"], day.isoformat() if day else None))

    def _add_full_check(self, position: int, check: ValidRecord) -> None:
        extra, place = json_cell(CHECK.unknown(check)), self.place(position)
        row = [*CHECK.cells(check), extra, self.digest_cell(position)]
        self.write(GUEST_CHECKS.stage, [place + line(row)])
        place += f"{check['guestCheckId']}\t"
        taxes = by_id(check.get("taxes"), "taxNum")
        self.write(
            TAXES.stage,
            [place + line([*TAX.cells(tax), json_cell(TAX.unknown(tax))]) for tax in taxes],
        )
        lines = by_id(check.get("detailLines"), "guestCheckLineItemId")
        self.write(DETAIL_LINES.stage, [place + line(_line_cells(child)) for child in lines])

    def _add_partial_check(self, place: str, check: ValidRecord) -> None:
        check_id = str(check["guestCheckId"])
        self._add_patch(place, GUEST_CHECKS.name, check_id, NULL, _patch_of(check, CHECK))
        for tax in by_id(check.get("taxes"), "taxNum"):
            tax_num = str(tax["taxNum"])
            self._add_patch(place, TAXES.name, check_id, tax_num, _patch_of(tax, TAX))
        for child in by_id(check.get("detailLines"), "guestCheckLineItemId"):
            line_id = str(child["guestCheckLineItemId"])
            self._add_patch(place, DETAIL_LINES.name, check_id, line_id, _line_patch(child))

    def _add_patch(
        self, place: str, table: str, check_id: str, child_id: str, patch: dict[str, Any]
    ) -> None:
        text = copy_text.escape(copy_text.json_text(patch))
        self.write(STAGE_PATCHES, [place + line([table, check_id, child_id, text])])

    def _add_row(self, item: Accepted) -> None:
        fields = tables.LIST_FIELDS[self.source]
        row = [*fields.cells(item.record), json_cell(fields.unknown(item.record))]
        place = self.day_place(item.position, item.record_id)
        self.write(tables.LIST_TABLES[self.source].stage, [place + line(row)])


def _line_cells(child: ValidRecord) -> list[str]:
    """Write a line with its type, its flattened sub-object and its extra."""
    unknown = LINE.unknown(child)
    details = details_of(child)
    if not details:
        return [*LINE.cells(child), *NO_DETAIL, json_cell(unknown)]
    (name, detail), *further = details
    nested = DETAIL[name].unknown(detail)
    if nested or further:
        unknown = (unknown or {}) | ({name: nested} if nested else {}) | dict(further)
    row = [*LINE.cells(child), LINE_TYPES[name], *DETAIL[name].cells(detail)]
    return [*row, json_cell(unknown)]


def _patch_of(record: ValidRecord, fields: Fields) -> dict[str, Any]:
    """Return the columns that a record of a partial document sets; `+name` is a field of extra."""
    patch = {
        column_name(name): _plain(record[name])
        for name in fields.names
        if name in record and name not in _NOT_PATCHED
    }
    return patch | {f"+{name}": value for name, value in (fields.unknown(record) or {}).items()}


def _line_patch(line: ValidRecord) -> dict[str, Any]:
    """Return the columns that a line of a partial document sets, its sub-object flattened."""
    patch = _patch_of(line, LINE)
    for number, (name, detail) in enumerate(details_of(line)):
        if number:
            patch[f"+{name}"] = detail
            continue
        patch["line_type"] = LINE_TYPES[name]
        columns = tables.DETAIL_COLUMNS[name]
        patch |= {columns[key]: _plain(detail[key]) for key in columns if key in detail}
        if unknown := DETAIL[name].unknown(detail):
            patch[f"+{name}"] = unknown
    return patch


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
