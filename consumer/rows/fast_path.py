"""The plain records of one document: written as rows without being converted first.

What is not plain is left to its contract, which writes the same rows for the same values. Both
ways count the document's shapes and repeated ids together.
"""

from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from consumer.documents.readers import CheckReader, RowReader, is_full
from consumer.drift.json_types import DETAIL_LEVELS, LINES_LEVEL, TAXES_LEVEL
from consumer.drift.shapes import Shapes, is_whole
from consumer.rows.fields import Fields
from consumer.rows.row_templates import NotPlain
from consumer.rows.row_writer import NO_DETAIL, RowWriter, Sale
from consumer.rows.tables import (
    CHECK,
    DETAIL,
    DETAIL_LINES,
    GUEST_CHECKS,
    LINE,
    LIST_FIELDS,
    LIST_TABLES,
    TAX,
    TAXES,
)
from consumer.rows.template_cache import Found, SeenShapes, rename_plainly
from schemas.aliases import Aliases
from schemas.fields import MAX_ID_CHARACTERS
from schemas.guest_checks import LINE_TYPES
from schemas.registry import CHECKS_FIELD

_WITHOUT_DETAIL = "\t".join(NO_DETAIL)

Record = dict[str, Any]


class FastPath(Protocol):
    """Takes the plain records of one document."""

    def take(self, position: int, record: Any) -> bool:
        """Write a record, or say that it is not plain: then nothing is written.

        May rename fields in place, where nothing has the new name.
        """


def fast_path_of(rows: RowWriter, reader: CheckReader | RowReader, aliases: Aliases) -> FastPath:
    """Return what takes the plain records of a document; `reader` validates the others."""
    if isinstance(reader, CheckReader):
        return _PlainChecks(rows, reader, aliases)
    return _PlainList(rows, reader, aliases)


class _PlainChecks:
    def __init__(self, rows: RowWriter, reader: CheckReader, aliases: Aliases) -> None:
        self._rows, self._reader = rows, reader
        self._renames = aliases.at(rows.source, CHECKS_FIELD)
        # The shapes of checks that are still open are counted apart.
        self._whole = _CheckWriter(rows, reader.shapes, aliases, whole=True)
        self._open = _CheckWriter(rows, reader.shapes, aliases, whole=False)

    def take(self, position: int, record: Any) -> bool:
        if type(record) is not dict:
            return False
        rename_plainly(record, self._renames)
        writer = self._whole if is_whole(record) else self._open
        try:
            writer.write(self._rows.place(position), record)
        except NotPlain:
            return False
        self._reader.remember(record)
        return True


class _CheckWriter:
    """Writes plain checks with their children."""

    def __init__(self, rows: RowWriter, shapes: Shapes, aliases: Aliases, *, whole: bool) -> None:
        def seen(level: str, fields: Fields) -> SeenShapes:
            count = partial(shapes.like, level, whole=whole)
            return SeenShapes(fields, aliases.at(rows.source, level), count)

        self._rows = rows
        self._checks, self._taxes = seen(CHECKS_FIELD, CHECK), seen(TAXES_LEVEL, TAX)
        self._lines = seen(LINES_LEVEL, LINE)
        self._details = {name: seen(level, DETAIL[name]) for name, level in DETAIL_LEVELS.items()}

    def write(self, place: str, check: Record) -> None:
        """Write a full check; of two children with one id the later counts.

        Raises:
            NotPlain: something about it is not plain; then nothing is written.
        """
        found: Found = []
        sold: set[Sale] = set()
        header = place + self._checks.find(check, found).row(check)
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
        _count(found)
        self._rows.write(GUEST_CHECKS.stage, (header,))
        self._rows.write(TAXES.stage, taxes.values())
        self._rows.write(DETAIL_LINES.stage, lines.values())
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


class _PlainList:
    def __init__(self, rows: RowWriter, reader: RowReader, aliases: Aliases) -> None:
        entry = rows.source.entry
        self._rows, self._reader = rows, reader
        self._id_field, self._table = entry.id_field, LIST_TABLES[rows.source].stage
        renames = aliases.at(rows.source, entry.list_field)
        count = partial(reader.shapes.like, entry.list_field, whole=True)
        self._seen = SeenShapes(LIST_FIELDS[rows.source], renames, count)

    def take(self, position: int, record: Any) -> bool:
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
        _count(found)
        self._rows.write(self._table, (self._rows.day_place(position, record_id) + row,))
        self._reader.remember(record_id)
        return True


def _count(found: Found) -> None:
    for seen, record in found:
        # Not before a record of its shape was written: the first one that counts describes them.
        counted = seen.counted or seen.begin(record)
        counted.count += 1
