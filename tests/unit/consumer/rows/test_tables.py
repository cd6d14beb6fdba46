"""Columns are the source's fields in snake_case; each field of a contract has one."""

import pytest

from consumer.rows.tables import (
    DATA_TABLES,
    DETAIL_COLUMNS,
    DETAIL_LINES,
    GUEST_CHECKS,
    LIST_TABLES,
)
from schemas.columns import column_name
from schemas.guest_checks import LINE_TYPES, DetailLine
from schemas.registry import Source


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("guestCheckId", "guest_check_id"),
        ("opnBusDt", "opn_bus_dt"),
        ("lastUpdatedUTC", "last_updated_utc"),
        ("lastUpdatedLcl", "last_updated_lcl"),
        ("parDtlId", "par_dtl_id"),
        ("refInfo1", "ref_info1"),
        ("taxRate", "tax_rate"),
        ("type", "type"),
    ],
)
def test_a_column_is_the_snake_case_of_its_field(field: str, column: str) -> None:
    assert column == column_name(field)


def test_no_table_has_a_column_twice() -> None:
    for table in DATA_TABLES:
        assert len(set(table.columns)) == len(table.columns), table.name


def test_every_field_of_every_sub_object_has_a_column() -> None:
    assert list(LINE_TYPES) == list(DETAIL_COLUMNS)
    for name, columns in DETAIL_COLUMNS.items():
        [model, _] = DetailLine.model_fields[name].annotation.__args__  # type: ignore[union-attr]
        assert list(model.model_fields) == list(columns)
        assert set(columns.values()) <= set(DETAIL_LINES.values)


def test_the_columns_that_scripts_rely_on_are_there() -> None:
    assert {"last_updated_utc", "opn_bus_dt", "extra"} <= set(GUEST_CHECKS.columns)
    lines = (
        "line_type menu_item_id mod_flag incl_tax active_taxes prc_lvl dsc_num svc_chg_num tmed_num"
    )
    assert set(lines.split()) <= set(DETAIL_LINES.columns)
    promised = {
        Source.FISCAL_INVOICE: {"amount", "tax"},
        Source.CHARGE_BACK: {"amount", "reason"},
        Source.TRANSACTIONS: {"type", "amount"},
        Source.CASH_MANAGEMENT: {"opening_balance", "closing_balance"},
    }
    for source, columns in promised.items():
        table = LIST_TABLES[source]
        assert ("store_id", "bus_dt", "record_id") == table.key
        assert columns <= set(table.values)
