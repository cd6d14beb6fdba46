"""Which columns each table takes from its contract, in the order rows are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from consumer.drift.json_types import LINES_LEVEL, TAXES_LEVEL, detail_model
from consumer.rows.fields import Fields
from schemas.columns import Column, columns_of
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Tax
from schemas.registry import CHECKS_FIELD, STORE_DAY_LISTS, Source

DIGEST = "content_digest"  # of the bytes that a row was read from


@dataclass(frozen=True, slots=True)
class Table:
    """A data table; `columns` are what a document fills, in the order rows are written.

    `level` is the path of its records in a document. `sent` gives the column of each field by its
    path inside a record; `menuItem.miNum` is a field of a line's sub-object.
    """

    name: str
    level: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    sent: Mapping[str, Column] = field(compare=False)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns beside the key."""
        return tuple(name for name in self.columns if name not in self.key)

    @property
    def told(self) -> tuple[str, ...]:
        """The columns that say what documents say, however they were read."""
        return tuple(name for name in self.columns if name != DIGEST)

    @property
    def stage(self) -> str:
        """The staging table of the same columns."""
        return f"stage_{self.name}"


CHECK = Fields(GuestCheck, columns_of(GuestCheck))
TAX = Fields(Tax, columns_of(Tax))
LINE = Fields(DetailLine, columns_of(DetailLine))

# Where the fields of a line's sub-object go; some of them mean the same on each.
DETAIL_COLUMNS: dict[str, dict[str, str]] = {
    name: {field: column.name for field, column in columns_of(detail_model(name)).items()}
    for name in LINE_TYPES
}
FLATTENED = tuple(
    dict.fromkeys(column for columns in DETAIL_COLUMNS.values() for column in columns.values())
)


def _flattened(name: str) -> Fields:
    field_of = {column: field for field, column in DETAIL_COLUMNS[name].items()}
    return Fields(detail_model(name), (field_of.get(column) for column in FLATTENED))


# Each fills all of the flattened columns, those of the others with NULL.
DETAIL: dict[str, Fields] = {name: _flattened(name) for name in DETAIL_COLUMNS}


def _columns(fields: Fields) -> tuple[str, ...]:
    columns = columns_of(fields.model)
    return tuple(columns[name].name for name in fields.names)


_CHECK_KEY = ("store_id", "guest_check_id")

GUEST_CHECKS = Table(
    Source.GUEST_CHECKS.entry.table,
    CHECKS_FIELD,
    _CHECK_KEY,
    ("store_id", *_columns(CHECK), "extra", DIGEST),
    columns_of(GuestCheck),
)
TAXES = Table(
    "taxes",
    TAXES_LEVEL,
    (*_CHECK_KEY, "tax_num"),
    (*_CHECK_KEY, *_columns(TAX), "extra"),
    columns_of(Tax),
)
DETAIL_LINES = Table(
    "detail_lines",
    LINES_LEVEL,
    (*_CHECK_KEY, "guest_check_line_item_id"),
    (*_CHECK_KEY, *_columns(LINE), "line_type", *FLATTENED, "extra"),
    dict(columns_of(DetailLine))
    | {
        f"{name}.{field}": column
        for name in LINE_TYPES
        for field, column in columns_of(detail_model(name)).items()
    },
)


def _list_fields(source: Source) -> Fields:
    entry = source.entry
    return Fields(entry.model, (name for name in columns_of(entry.model) if name != entry.id_field))


def _list_table(source: Source) -> Table:
    entry, fields, key = source.entry, LIST_FIELDS[source], ("store_id", "bus_dt", "record_id")
    columns = (*key, *_columns(fields), "extra")
    sent = {name: columns_of(entry.model)[name] for name in fields.names}
    return Table(entry.table, entry.list_field, key, columns, sent)


LIST_FIELDS: dict[Source, Fields] = {source: _list_fields(source) for source in STORE_DAY_LISTS}
LIST_TABLES: dict[Source, Table] = {source: _list_table(source) for source in STORE_DAY_LISTS}
DATA_TABLES: tuple[Table, ...] = (GUEST_CHECKS, TAXES, DETAIL_LINES, *LIST_TABLES.values())
