"""Which columns each table takes from its contract, in the order rows are written.

The contracts name fields as the ERP spells them; columns are their snake_case. Nothing here
knows SQL: `consumer.load.statements` writes it from these lists, and a test holds them to the
migrated tables.
"""

import re
from dataclasses import dataclass

from consumer.drift.json_types import detail_model
from consumer.rows.fields import Fields
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Tax
from schemas.sources import Source
from schemas.store_days import STORE_DAY_LISTS

_CHILDREN_OF_CHECK = ("taxes", "detailLines")


def column_name(field: str) -> str:
    """Write a source field as a column: `lastUpdatedUTC` is `last_updated_utc`."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", field).lower()


@dataclass(frozen=True, slots=True)
class Table:
    """A data table; `columns` are what a document fills, in the order rows are written."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The columns beside the key."""
        return tuple(name for name in self.columns if name not in self.key)

    @property
    def stage(self) -> str:
        """The staging table of the same columns."""
        return f"stage_{self.name}"


CHECK = Fields(
    GuestCheck, (name for name in GuestCheck.model_fields if name not in _CHILDREN_OF_CHECK)
)
TAX = Fields(Tax, Tax.model_fields)
LINE = Fields(DetailLine, (name for name in DetailLine.model_fields if name not in LINE_TYPES))

# Where the fields of a line's sub-object go. `inclTax` and `activeTaxes` mean the same on each.
DETAIL_COLUMNS: dict[str, dict[str, str]] = {
    "menuItem": {
        "miNum": "menu_item_id",
        "modFlag": "mod_flag",
        "inclTax": "incl_tax",
        "activeTaxes": "active_taxes",
        "prcLvl": "prc_lvl",
    },
    "discount": {
        "dscNum": "dsc_num",
        "dscMiNum": "dsc_mi_num",
        "inclTax": "incl_tax",
        "activeTaxes": "active_taxes",
    },
    "serviceCharge": {"svcChgNum": "svc_chg_num", "inclTax": "incl_tax"},
    "tenderMedia": {"tmedNum": "tmed_num"},
    "errorCorrect": {"type": "error_correct_type", "objectNum": "object_num"},
    "other": {"detailType": "detail_type", "detailNum": "detail_num"},
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
    return tuple(column_name(name) for name in fields.names)


_CHECK_KEY = ("store_id", "guest_check_id")

GUEST_CHECKS = Table("guest_checks", _CHECK_KEY, ("store_id", *_columns(CHECK), "extra"))
TAXES = Table("taxes", (*_CHECK_KEY, "tax_num"), (*_CHECK_KEY, *_columns(TAX), "extra"))
DETAIL_LINES = Table(
    "detail_lines",
    (*_CHECK_KEY, "guest_check_line_item_id"),
    (*_CHECK_KEY, *_columns(LINE), "line_type", *FLATTENED, "extra"),
)


def _list_fields(source: Source) -> Fields:
    shape = STORE_DAY_LISTS[source]
    return Fields(
        shape.model, (name for name in shape.model.model_fields if name != shape.id_field)
    )


def _list_table(source: Source) -> Table:
    key = ("store_id", "bus_dt", "record_id")
    columns = (*key, *_columns(LIST_FIELDS[source]), "extra")
    return Table(STORE_DAY_LISTS[source].table, key, columns)


LIST_FIELDS: dict[Source, Fields] = {source: _list_fields(source) for source in STORE_DAY_LISTS}
LIST_TABLES: dict[Source, Table] = {source: _list_table(source) for source in STORE_DAY_LISTS}
DATA_TABLES: tuple[Table, ...] = (GUEST_CHECKS, TAXES, DETAIL_LINES, *LIST_TABLES.values())
