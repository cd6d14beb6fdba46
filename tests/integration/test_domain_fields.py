"""Every field that the ERP sends stands in a column of its own, in the tables and with its type."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes import State
from schemas.registry import Source
from tests.support.facts import HEADER, KINDS, LINE, LISTS, SUB_OBJECTS, TAX, column
from tests.support.samples import DAY, STORE, checks, staged
from tests.support.warehouse import Warehouse

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
PROVENANCE = {"extra": "jsonb", "removed_at": "timestamp with time zone"}
VERSIONED = {"as_of": "timestamp with time zone", "object_id": "bigint"}
PATCHED = {"patched": "boolean", "latest_credible": "timestamp with time zone"}
FALSE_IF_ABSENT = {"vd_flag", "err_cor_flag", "return_flag", "do_not_show_flag"}


def value(kind: str, number: int) -> tuple[Any, Any]:
    """Give what a field is sent as and what is stored, another value for each number."""
    then = NOON + timedelta(days=number, minutes=number)
    text = then.replace(tzinfo=None).isoformat()
    return {
        "int": (9_000_000_000 + number,) * 2,
        "number": (Decimal(f"{number}.{number:06}0"),) * 2,
        "text": (f"text {number}",) * 2,
        "scalar": (f"scalar {number}",) * 2,
        "flag": (True, True),
        "utc": (text, then),
        "lcl": (text, then.replace(tzinfo=None)),
        "date": (then.date().isoformat(), then.date()),
    }[kind]


def filled(fields: dict[str, str], first: int, **names: str) -> tuple[dict[str, Any], Any]:
    """Fill every field; return what is sent and the row that it makes."""
    record, row = {}, {}
    for number, (name, kind) in enumerate(fields.items(), first):
        record[name], stored = value(kind, number)
        row[names.get(name, column(name))] = stored
    return record, row


def whole_check() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Fill a check, a tax of it and a line of each type; return it with the rows it makes."""
    check, header = filled(HEADER, 1)
    tax, tax_row = filled(TAX, 100)
    owner = {"store_id": STORE, "guest_check_id": header["guest_check_id"]}
    lines, line_rows = [], []
    for number, (name, (line_type, fields, names)) in enumerate(SUB_OBJECTS.items(), 1):
        line, row = filled(LINE, 200 * number)
        line[name], detail = filled(fields, 200 * number + 100, **names)
        lines.append(line)
        line_rows.append({**owner, **row, **detail, "line_type": line_type})
    check |= {"taxes": [tax], "detailLines": lines}
    return check, {"store_id": STORE, **header}, {**owner, **tax_row}, line_rows


def test_every_field_of_a_full_check_is_in_its_column(warehouse: Warehouse) -> None:
    check, header, tax, lines = whole_check()
    warehouse.load(staged(checks(check)))
    assert [header] == warehouse.rows("guest_checks")
    assert [tax] == warehouse.rows("taxes")
    assert lines == warehouse.rows("detail_lines")


def test_every_field_of_a_partial_check_is_in_its_column(warehouse: Warehouse) -> None:
    check, header, tax, lines = whole_check()
    del check["lastUpdatedUTC"], header["last_updated_utc"]
    warehouse.load(staged(checks(check)))
    assert [header] == warehouse.rows("guest_checks")
    assert [tax] == warehouse.rows("taxes")
    assert lines == warehouse.rows("detail_lines")


@pytest.mark.parametrize("version", [{}, {"lastUpdatedUTC": "2024-01-01T10:00:00"}])
def test_every_field_but_the_keys_may_be_null(warehouse: Warehouse, version: Any) -> None:
    lines = [
        {**dict.fromkeys(LINE), name: dict.fromkeys(fields), "guestCheckLineItemId": number}
        for number, (name, (_, fields, _)) in enumerate(SUB_OBJECTS.items(), 1)
    ]
    lines.append({"guestCheckLineItemId": 7, **dict.fromkeys(SUB_OBJECTS)})
    check = dict.fromkeys(HEADER) | {"guestCheckId": 1} | version
    check |= {"taxes": [dict.fromkeys(TAX) | {"taxNum": 28}], "detailLines": lines}
    warehouse.load(staged(checks(check)))
    [header] = warehouse.rows("guest_checks")
    assert {"store_id", "guest_check_id"} == header.keys() - {"last_updated_utc"}
    assert [{"store_id": STORE, "guest_check_id": 1, "tax_num": 28}] == warehouse.rows("taxes")
    types = [line_type for line_type, _, _ in SUB_OBJECTS.values()]
    rows = warehouse.rows("detail_lines")
    assert [*types, "unknown"] == [row["line_type"] for row in rows]
    key = {"store_id", "guest_check_id", "guest_check_line_item_id", "line_type"}
    assert [key] * 6 == [row.keys() for row in rows[:6]]
    assert key | FALSE_IF_ABSENT == rows[6].keys()


@pytest.mark.parametrize("version", [{}, {"lastUpdatedUTC": "2024-01-01T10:00:00"}])
def test_a_check_may_consist_of_keys_and_its_lines_flags_are_false_then(
    warehouse: Warehouse, version: Any
) -> None:
    lines = [
        {"guestCheckLineItemId": number, name: {}} for number, name in enumerate(SUB_OBJECTS, 1)
    ]
    check = {"guestCheckId": 1, **version, "taxes": [{"taxNum": 28}], "detailLines": lines}
    warehouse.load(staged(checks(check)))
    rows = warehouse.rows("detail_lines")
    assert [line_type for line_type, _, _ in SUB_OBJECTS.values()] == [
        row["line_type"] for row in rows
    ]
    for row in rows:
        assert [False] * 4 == [row[name] for name in FALSE_IF_ABSENT]
    assert [28] == [row["tax_num"] for row in warehouse.rows("taxes")]


@pytest.mark.parametrize("source", list(LISTS))
def test_rows_of_a_list_minimal_and_rich_are_in_their_columns_and_the_rest_is_kept(
    warehouse: Warehouse, source: str
) -> None:
    facts = LISTS[source]
    minimal, row = filled(facts.fields, 1)
    rich = {
        "nfceModel": 65,
        "protocol": 12345678901234567890123456789012345678901234,
        "discountAmt": Decimal("-0.10"),
        "nested": {"list": [1, None, {"deep": True}]},
    }
    document = {
        "storeId": STORE,
        "busDt": DAY.isoformat(),
        facts.root: [
            {facts.id_field: 1, **minimal},
            {facts.id_field: "A-2", **minimal, **rich},
            dict.fromkeys([facts.id_field, *facts.fields]) | {facts.id_field: 3},
        ],
    }
    loaded = staged(document, Source(source))
    assert {loaded.number: State.LOADED} == warehouse.load(loaded)
    key = {"store_id": STORE, "bus_dt": DAY}
    expected = [
        {**key, "record_id": "1", **row},
        {**key, "record_id": "3"},
        {**key, "record_id": "A-2", **row, "extra": rich},
    ]
    assert expected == warehouse.rows(facts.table)
    others = {facts.table for facts in LISTS.values()} - {facts.table}
    assert {table: [] for table in others} == {table: warehouse.rows(table) for table in others}


def sql_types(fields: dict[str, str], **names: str) -> dict[str, str]:
    return {names.get(name, column(name)): KINDS[kind].column for name, kind in fields.items()}


def test_each_table_has_these_columns_of_these_types(opened: Warehouse) -> None:
    """Only keys and provenance are never null."""
    details: dict[str, str] = {}
    for _, fields, names in SUB_OBJECTS.values():
        details |= sql_types(fields, **names)
    check_key = {"store_id": "text", "guest_check_id": "bigint"}
    expected = {
        "guest_checks": (
            check_key | sql_types(HEADER) | PROVENANCE | VERSIONED | PATCHED,
            {"store_id", "guest_check_id", "as_of", "object_id", "patched"},
        ),
        "taxes": (
            check_key | sql_types(TAX) | PROVENANCE,
            {"store_id", "guest_check_id", "tax_num"},
        ),
        "detail_lines": (
            check_key | sql_types(LINE) | {"line_type": "text"} | details | PROVENANCE,
            {"store_id", "guest_check_id", "guest_check_line_item_id"},
        ),
    }
    for facts in LISTS.values():
        key = {"store_id": "text", "bus_dt": "date", "record_id": "text"}
        columns = key | sql_types(facts.fields) | PROVENANCE | VERSIONED
        expected[facts.table] = columns, {*key, *VERSIONED}
    for table, (columns, filled_always) in expected.items():
        found = opened.query(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s",
            table,
        )
        types = {row["column_name"]: row["data_type"] for row in found}
        assert columns == {name: types.get(name) for name in columns}, table
        never_null = {row["column_name"] for row in found if row["is_nullable"] == "NO"}
        assert filled_always == never_null & columns.keys(), table


def test_taxes_and_lines_are_keyed_within_their_check_and_rows_within_their_day(
    opened: Warehouse,
) -> None:
    keys = opened.query(
        "SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS key"
        " FROM pg_constraint WHERE contype = 'p'"
    )
    found = {row["table"]: row["key"].removeprefix("PRIMARY KEY ") for row in keys}
    expected = {
        "guest_checks": "(store_id, guest_check_id)",
        "taxes": "(store_id, guest_check_id, tax_num)",
        "detail_lines": "(store_id, guest_check_id, guest_check_line_item_id)",
        "menu_items": "(store_id, menu_item_id)",
        **{facts.table: "(store_id, bus_dt, record_id)" for facts in LISTS.values()},
        "store_days": "(source, store_id, bus_dt)",
    }
    assert expected == {name: found[name] for name in expected}


def test_an_item_is_told_by_store_and_its_number(warehouse: Warehouse) -> None:
    line = {"guestCheckLineItemId": 1, "busDt": "2024-01-31", "menuItem": {"miNum": 6042}}
    warehouse.load(staged(checks({"guestCheckId": 1, "detailLines": [line]})))
    day = date(2024, 1, 31)
    expected = {"store_id": STORE, "menu_item_id": 6042, "first_seen": day, "last_seen": day}
    assert [expected] == warehouse.rows("menu_items")
