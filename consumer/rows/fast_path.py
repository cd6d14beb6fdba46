"""The plain records of one document: written as rows without being converted first.

What is not plain is left to its contract, which writes the same rows for the same values. Both
ways count the document's shapes and repeated ids together.
"""

from decimal import Decimal
from typing import Any

from consumer.documents.readers import CheckReader, RowReader, is_full
from consumer.drift.json_types import DETAIL_LEVELS, LINES_LEVEL, TAXES_LEVEL
from consumer.drift.shapes import is_whole
from consumer.rows import tables
from consumer.rows.fields import Fields
from consumer.rows.row_templates import NotPlain
from consumer.rows.row_writer import NO_DETAIL, RowWriter, Sale
from consumer.rows.template_cache import Found, TemplateCache, count
from schemas.aliases import Aliases
from schemas.fields import MAX_ID_CHARACTERS
from schemas.guest_checks import LINE_TYPES
from schemas.registry import CHECKS_FIELD

_WITHOUT_DETAIL = "\t".join(NO_DETAIL)

Record = dict[str, Any]


def fast_path_of(
    rows: RowWriter, reader: CheckReader | RowReader, aliases: Aliases
) -> "FastChecks | FastList":
    """Return what takes the plain records of a document; `reader` validates the others."""
    if isinstance(reader, CheckReader):
        return FastChecks(rows, reader, aliases)
    return FastList(rows, reader, aliases)


class FastChecks:
    """Takes plain checks with their children."""

    def __init__(self, rows: RowWriter, reader: CheckReader, aliases: Aliases) -> None:
        def seen(level: str, fields: Fields) -> TemplateCache:
            return TemplateCache(level, fields, aliases.at(rows.source, level))

        self._rows, self._reader = rows, reader
        self._checks = seen(CHECKS_FIELD, tables.CHECK)
        self._taxes, self._lines = seen(TAXES_LEVEL, tables.TAX), seen(LINES_LEVEL, tables.LINE)
        self._details = {
            name: seen(level, tables.DETAIL[name]) for name, level in DETAIL_LEVELS.items()
        }

    def take(self, position: int, record: Any) -> bool:
        """Write a record, or say that it is not plain: then nothing but renaming was done."""
        try:
            self._write(position, record)
        except NotPlain:
            return False
        self._reader.remember(record)
        return True

    def _write(self, position: int, check: Record) -> None:
        """Write a full check; of two children with one id the later counts."""
        found: Found = []
        sold: set[Sale] = set()
        place, shape = self._rows.place(position), self._checks.find(check, found)
        digest = self._rows.digest_cell(position)
        header = f"{place}{shape.cells(check)}\t{shape.extra_cell(check)}\t{digest}\n"
        if not is_full(check):
            raise NotPlain
        place = f"{place}{check['guestCheckId']}\t"
        taxes, lines = {}, {}
        for tax in check.get("taxes") or ():
            row = self._taxes.find(tax, found).row(tax)
            taxes[tax["taxNum"]] = place + row
        for line in check.get("detailLines") or ():
            row = self._line_row(line, check.get("opnBusDt"), found, sold)
            lines[line["guestCheckLineItemId"]] = place + row
        count(found, self._reader.shapes, whole=is_whole(check))
        self._rows.write(tables.GUEST_CHECKS.stage, (header,))
        self._rows.write(tables.TAXES.stage, taxes.values())
        self._rows.write(tables.DETAIL_LINES.stage, lines.values())
        self._rows.sold |= sold

    def _line_row(self, line: Any, day: str | None, found: Found, sold: set[Sale]) -> str:
        """Return a line's cells behind the check's id; what it sells is added to `sold`."""
        shape = self._lines.find(line, found)
        name = shape.detail
        if name is None:
            return f"{shape.cells(line)}\t{_WITHOUT_DETAIL}\t{shape.extra_cell(line)}\n"
        detail = line[name]
        flattened = self._details[name].find(detail, found)
        if flattened.unknown:
            raise NotPlain
        if name == "menuItem" and detail.get("miNum") is not None:
            sold.add((detail["miNum"], line.get("busDt") or day))
        cells = f"{shape.cells(line)}\t{LINE_TYPES[name]}\t{flattened.cells(detail)}"
        return f"{cells}\t{shape.extra_cell(line)}\n"


class FastList:
    """Takes the plain records of a store-day list."""

    def __init__(self, rows: RowWriter, reader: RowReader, aliases: Aliases) -> None:
        source, entry = rows.source, rows.source.entry
        self._rows, self._reader = rows, reader
        self._id_field, self._table = entry.id_field, tables.LIST_TABLES[source].stage
        level = entry.list_field
        self._seen = TemplateCache(level, tables.LIST_FIELDS[source], aliases.at(source, level))

    def take(self, position: int, record: Any) -> bool:
        """Write a record, or say that it is not plain, as above."""
        found: Found = []
        try:
            row = self._seen.find(record, found).row(record)
        except NotPlain:
            return False
        sent = record.get(self._id_field)
        # Without an id, one is derived from the content; and 5.0 is 5.
        if not sent or isinstance(sent, Decimal):
            return False
        record_id = str(sent)
        if len(record_id) > MAX_ID_CHARACTERS:
            return False
        count(found, self._reader.shapes)
        self._rows.write(self._table, (self._rows.day_place(position, record_id) + row,))
        self._reader.remember(record_id)
        return True
