"""What is sent is what is stored: digits, times, odd but true facts, unknown fields of every level."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes import State
from schemas.registry import Source
from tests.support.facts import LISTS, SUB_OBJECTS
from tests.support.samples import DAY, STORE, checks, full_check, staged
from tests.support.warehouse import Warehouse, zoned_warehouse

VERSIONS = [{"lastUpdatedUTC": "2024-01-01T10:00:00"}, {}]
full_and_partial = pytest.mark.parametrize("version", VERSIONS, ids=["full", "partial"])


@pytest.fixture(scope="module")
def opened(stack: Any) -> Iterator[Warehouse]:
    with zoned_warehouse(stack.environment) as warehouse:
        yield warehouse


def load(
    warehouse: Warehouse, document: Any, source: Source = Source.ERP, number: int = 0
) -> State:
    ready = staged(document, source, number=number)
    return warehouse.load(ready)[ready.number]


NUMBERS = {
    "0.1": "0.1",
    "1e2": "100",
    "21": "21",
    "1234567890.123456": "1234567890.123456",
    "1234567890123456789012345678.1234567890": "1234567890123456789012345678.1234567890",
    "109.90": "109.90",
    "20.809091": "20.809091",
    "-10": "-10",
    "-0.50": "-0.50",
    "0.00": "0.00",
    "1E-7": "0.0000001",
    '"5.10"': "5.10",
}


@pytest.mark.parametrize("reason_to_look", ["", '"again": 1, "again": 1, '])
@full_and_partial
def test_a_number_has_the_digits_that_it_came_with(
    warehouse: Warehouse, version: dict[str, str], reason_to_look: str
) -> None:
    """In columns and in `extra`, of full and partial documents, read by either parser."""
    records = [
        json.dumps({"guestCheckId": number, **version, "subTtl": "?", "new": {"deep": ["?"]}})
        for number in range(len(NUMBERS))
    ]
    written = (record.replace('"?"', sent) for record, sent in zip(records, NUMBERS, strict=True))
    document = f'{{{reason_to_look}"locRef": "S", "guestChecks": [{", ".join(written)}]}}'
    load(warehouse, document.encode())
    rows = warehouse.query(
        "SELECT sub_ttl::text, (extra #> '{new,deep,0}')::text AS new FROM guest_checks"
        " ORDER BY guest_check_id"
    )
    unknown = [sent if '"' in sent else stored for sent, stored in NUMBERS.items()]
    assert list(NUMBERS.values()) == [row["sub_ttl"] for row in rows]
    assert unknown == [row["new"] for row in rows]


@full_and_partial
def test_a_number_that_its_exponent_would_blow_up_is_text_where_no_contract_knows_it(
    warehouse: Warehouse, version: dict[str, str]
) -> None:
    """Nine bytes stay nine bytes; what was sent in full stays a number."""
    many = "9" * 300
    check = json.dumps({"guestCheckId": 1, **version, "new": [1, 2]})
    document = f'{{"locRef": "S", "guestChecks": [{check.replace("1, 2", f"1e99999, {many}")}]}}'
    load(warehouse, document.encode())
    [row] = warehouse.query("SELECT (extra -> 'new')::text AS new FROM guest_checks")
    assert f'["1E+99999", {many}]' == row["new"]


@full_and_partial
def test_numbers_in_quotes_are_the_numbers_and_are_counted_as_drift(
    warehouse: Warehouse, version: dict[str, str]
) -> None:
    line = {"guestCheckLineItemId": "9988776655", "dspQty": "0.5", "menuItem": {"prcLvl": "3"}}
    tax = {"taxNum": "28", "taxRate": "21"}
    check = {"guestCheckId": "1", **version, "gstCnt": "2", "taxes": [tax], "detailLines": [line]}
    load(warehouse, checks(check))
    [stored] = warehouse.rows("detail_lines")
    assert (9_988_776_655, Decimal("0.5"), 3) == (
        stored["guest_check_line_item_id"],
        stored["dsp_qty"],
        stored["prc_lvl"],
    )
    assert [(28, 21)] == [(row["tax_num"], row["tax_rate"]) for row in warehouse.rows("taxes")]
    assert [(1, 2)] == [
        (row["guest_check_id"], row["gst_cnt"]) for row in warehouse.rows("guest_checks")
    ]
    retyped = warehouse.query("SELECT path FROM schema_drift WHERE kind = 'retyped' ORDER BY path")
    levels = "guestChecks", "guestChecks.detailLines", "guestChecks.taxes"
    assert [
        f"{levels[1]}.dspQty",
        f"{levels[1]}.guestCheckLineItemId",
        f"{levels[1]}.menuItem.prcLvl",
        f"{levels[0]}.gstCnt",
        f"{levels[0]}.guestCheckId",
        f"{levels[2]}.taxNum",
        f"{levels[2]}.taxRate",
    ] == [row["path"] for row in retyped]


TIMES = {
    "2024-01-01T09:30:00": 9,
    "2024-01-01T09:30:00Z": 9,
    "2024-01-01T09:30:00+00:00": 9,
    "2024-01-01T09:30:00-03:00": 12,
    "2024-01-01T09:30:00+0200": 7,
}


@full_and_partial
def test_utc_is_utc_unless_an_offset_says_otherwise_and_lcl_is_the_wall_clock(
    warehouse: Warehouse, version: dict[str, str]
) -> None:
    records = []
    for number, sent in enumerate(TIMES):
        line = {"guestCheckLineItemId": number, "detailUTC": sent, "detailLcl": sent}
        times = {"opnUTC": sent, "opnLcl": sent, "detailLines": [line]}
        records.append({"guestCheckId": number, **version, **times})
    load(warehouse, checks(*records))
    clock = datetime.fromisoformat("2024-01-01T09:30:00")
    expected = [(datetime(2024, 1, 1, hour, 30, tzinfo=UTC), clock) for hour in TIMES.values()]
    headers, lines = warehouse.rows("guest_checks"), warehouse.rows("detail_lines")
    assert expected == [(row["opn_utc"], row["opn_lcl"]) for row in headers]
    assert expected == [(row["detail_utc"], row["detail_lcl"]) for row in lines]


@pytest.mark.parametrize(("zone", "wins"), [("", "second"), ("-03:00", "first")])
def test_curutc_and_versions_without_a_zone_are_utc_and_an_offset_counts(
    warehouse: Warehouse, zone: str, wins: str
) -> None:
    """As of 10:00 without a zone is before 11:00; with three hours behind it is after."""
    for number, (name, cur_utc) in enumerate(
        [("first", f"2024-01-02T10:00:00{zone}"), ("second", "2024-01-02T11:00:00")]
    ):
        load(warehouse, checks(full_check(1, tblName=name), curUTC=cur_utc), number=number)
        version = f"2024-01-01T{10 + number}:00:00" + ("" if number else zone)
        load(
            warehouse,
            checks({"guestCheckId": 2, "lastUpdatedUTC": version, "tblName": name}),
            number=number,
        )
    assert [wins] * 2 == [row["tbl_name"] for row in warehouse.rows("guest_checks")]


@full_and_partial
def test_unknown_fields_of_every_level_are_in_the_extra_of_their_row(
    warehouse: Warehouse, version: dict[str, str]
) -> None:
    new = {"n": [1, {"o": None}], "price": Decimal("1.50")}
    lines = [
        {"guestCheckLineItemId": number, "newOnLine": new, name: {"newInside": new}}
        for number, name in enumerate(SUB_OBJECTS, 1)
    ]
    lines.append({"guestCheckLineItemId": 7, "giftCard": {"number": "x"}})
    check = {"guestCheckId": 1, **version, "newOnCheck": new, "new": None}
    check |= {"taxes": [{"taxNum": 1, "newOnTax": new}], "detailLines": lines}
    load(warehouse, checks(check, newOnRoot=new, hasMore=False))
    [header] = warehouse.rows("guest_checks")
    [tax] = warehouse.rows("taxes")
    assert {"newOnCheck": new, "new": None} == header["extra"]
    assert {"newOnTax": new} == tax["extra"]
    inside = [{"newOnLine": new, name: {"newInside": new}} for name in SUB_OBJECTS]
    assert [*inside, {"giftCard": {"number": "x"}}] == [
        row["extra"] for row in warehouse.rows("detail_lines")
    ]
    [ledger] = warehouse.query("SELECT extra FROM ingested_objects")
    assert {"newOnRoot": new, "hasMore": False} == ledger["extra"]


@full_and_partial
def test_of_two_sub_objects_the_first_of_the_contract_s_order_names_the_line(
    warehouse: Warehouse, version: dict[str, str]
) -> None:
    """Whichever comes first in the document; the other is kept; both and none are counted."""
    names = list(SUB_OBJECTS)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    # An integer field of each; the other sub-object keeps all that it says.
    details = {
        name: {next(field for field, kind in fields.items() if kind == "int"): 7}
        for name, (_, fields, _) in SUB_OBJECTS.items()
    }
    lines = [
        {"guestCheckLineItemId": number, other: details[other], one: details[one]}
        for number, (one, other) in enumerate(pairs)
    ]
    lines.append({"guestCheckLineItemId": len(pairs), "menuItem": None})
    load(warehouse, checks({"guestCheckId": 1, **version, "detailLines": lines}))
    rows = warehouse.rows("detail_lines")
    assert [*(SUB_OBJECTS[one][0] for one, _ in pairs), "unknown"] == [
        row["line_type"] for row in rows
    ]
    assert [{other: details[other]} for _, other in pairs] == [row["extra"] for row in rows[:-1]]
    [found] = warehouse.query("SELECT occurrences FROM schema_drift WHERE kind = 'line_type'")
    assert len(lines) == found["occurrences"]


@pytest.mark.parametrize("name", list(LISTS))
@pytest.mark.parametrize("rows", [[], None, "absent"])
def test_an_empty_list_null_or_no_list_is_an_empty_day_and_no_error(
    warehouse: Warehouse, name: str, rows: Any
) -> None:
    facts, source = LISTS[name], Source(name)
    day = {"storeId": STORE, "busDt": DAY.isoformat()}
    load(warehouse, {**day, facts.root: [{facts.id_field: 1}]}, source)
    empty = day if rows == "absent" else {**day, facts.root: rows}
    assert State.LOADED == load(warehouse, empty, source, number=1)
    assert [] == warehouse.rows(facts.table)
    assert ["1"] == [row["record_id"] for row in warehouse.removed(facts.table)]


def test_rows_without_an_id_are_as_many_as_were_sent_however_often_the_file_comes(
    warehouse: Warehouse,
) -> None:
    source = Source.TRANSACTIONS
    row = {"type": "sale", "amount": -5, "new": {"a": 1, "b": [2]}}
    same = {"new": {"b": [2], "a": Decimal("1.0")}, "amount": Decimal("-5.00"), "type": "sale"}
    day = {"storeId": STORE, "busDt": DAY.isoformat()}
    load(warehouse, {**day, "transactions": [row, row, {"amount": 1}]}, source)
    again = {**day, "transactions": [{"amount": 1}, same, same]}
    load(warehouse, again, source, number=1)
    assert [-5, -5, 1] == sorted(row["amount"] for row in warehouse.rows("transactions"))
    assert [] == warehouse.removed("transactions")
