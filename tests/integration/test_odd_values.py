"""What is odd but can be kept loads: the value goes to extra, and drift counts it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

import pytest

from schemas.registry import Source
from tests.support.facts import SUB_OBJECTS
from tests.support.samples import checks, day_list, full_check, prepared, staged
from tests.support.warehouse import Warehouse, open_warehouse

full_and_partial = pytest.mark.parametrize("version", ["2024-01-01T10:00:00", None])


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    with open_warehouse(database, sessions=1) as opened:
        yield opened


def check_with(version: str | None, **fields: Any) -> dict[str, Any]:
    """Write a check and a good neighbour."""
    check = full_check(1, **fields)
    check["lastUpdatedUTC"] = version
    return checks(check, full_check(2, gstCnt=3))


def retyped(document: dict[str, Any]) -> set[str]:
    """Return the paths whose JSON type drift reports."""
    found = prepared(document).document.drift.findings
    return {finding.path for finding in found if finding.kind == "retyped"}


@full_and_partial
@pytest.mark.parametrize("value", ["ERR123", 7, True, [{"type": 1}]])
def test_a_scalar_or_a_list_for_a_sub_object_is_kept(
    warehouse: Warehouse, version: str | None, value: Any
) -> None:
    lines = [
        {"guestCheckLineItemId": number, "dspTtl": 1, name: value, "new": 1}
        for number, name in enumerate(SUB_OBJECTS)
    ]
    document = check_with(version, detailLines=lines)
    warehouse.load(staged(document))
    rows = sorted(warehouse.rows("detail_lines"), key=itemgetter("guest_check_line_item_id"))
    for name, row in zip(SUB_OBJECTS, rows, strict=True):
        assert (1, {name: value, "new": 1}) == (row["dsp_ttl"], row["extra"])
        assert "unknown" == row["line_type"]
    assert {f"guestChecks.detailLines.{name}" for name in SUB_OBJECTS} == retyped(document)
    assert 2 == len(warehouse.rows("guest_checks"))


def test_the_other_name_of_a_sub_object_is_kept_under_the_known_one(warehouse: Warehouse) -> None:
    line = {"guestCheckLineItemId": 5, "menuItem": {"miNum": 6042}, "errorCode": "ERR123"}
    warehouse.load(staged(checks(full_check(1, detailLines=[line]))))
    [row] = warehouse.rows("detail_lines")
    assert ("menu_item", 6042) == (row["line_type"], row["menu_item_id"])
    assert {"errorCorrect": "ERR123"} == row["extra"]


@full_and_partial
@pytest.mark.parametrize("value", [[28], {"code": 28}])
def test_a_list_or_an_object_for_text_is_kept_at_every_level(
    warehouse: Warehouse, version: str | None, value: Any
) -> None:
    item = {"miNum": 6042, "activeTaxes": value, "new": 1}
    line = {"guestCheckLineItemId": 5, "refInfo1": value, "menuItem": item}
    document = check_with(version, tblName=value, chkNum=8, detailLines=[line])
    warehouse.load(staged(document))
    check, neighbour = warehouse.rows("guest_checks")
    assert (8, {"tblName": value}, 3) == (check["chk_num"], check["extra"], neighbour["gst_cnt"])
    [row] = warehouse.rows("detail_lines")
    kept = {"activeTaxes": value, "new": 1}
    assert (6042, {"refInfo1": value, "menuItem": kept}) == (row["menu_item_id"], row["extra"])
    lines = "guestChecks.detailLines"
    assert retyped(document) == {
        "guestChecks.tblName",
        f"{lines}.refInfo1",
        f"{lines}.menuItem.activeTaxes",
    }


def test_a_row_of_a_list_keeps_it_too(warehouse: Warehouse) -> None:
    rows = [{"chargeId": 1, "amount": 5, "reason": ["a", "b"]}, {"reason": {}, "amount": 6}]
    warehouse.load(staged(day_list(Source.CHARGE_BACK, *rows), Source.CHARGE_BACK))
    found = {row["amount"]: row["extra"] for row in warehouse.rows("charge_backs")}
    assert {5: {"reason": ["a", "b"]}, 6: {"reason": {}}} == found


def test_the_value_is_gone_once_the_field_comes_as_it_should(warehouse: Warehouse) -> None:
    warehouse.load(staged(checks(full_check(1, tblName=["90"]))))
    warehouse.load(staged(checks(full_check(1, tblName="90")), number=1))
    [row] = warehouse.rows("guest_checks")
    assert "90" == row["tbl_name"]
    assert "extra" not in row


@full_and_partial
def test_fractions_beyond_microseconds_are_kept_as_they_were_sent(
    warehouse: Warehouse, version: str | None
) -> None:
    """Zeros are nothing that would be lost."""
    if version:
        version += ".1234567"
    document = check_with(
        version,
        opnUTC="2024-01-01T09:00:00.7654321Z",
        opnLcl="2024-01-01T06:00:00.7654321",
        clsdUTC="2024-01-01T10:00:00.1230000",
    )
    document["curUTC"] = "2024-01-02T00:00:00.7654321"
    warehouse.load(staged(document))
    check = warehouse.rows("guest_checks")[0]
    opened = datetime(2024, 1, 1, 9, microsecond=765432, tzinfo=UTC)
    assert opened == check["opn_utc"]
    assert opened.replace(hour=6, tzinfo=None) == check["opn_lcl"]
    assert datetime(2024, 1, 1, 10, microsecond=123000, tzinfo=UTC) == check["clsd_utc"]
    kept = {"opnUTC": "2024-01-01T09:00:00.7654321Z", "opnLcl": "2024-01-01T06:00:00.7654321"}
    if version:
        kept["lastUpdatedUTC"] = version
    assert kept == check["extra"]
    [ledger] = warehouse.query("SELECT extra FROM ingested_objects")
    assert {"curUTC": "2024-01-02T00:00:00.7654321"} == ledger["extra"]


@pytest.mark.parametrize(
    "field",
    [
        {"gstCnt": "two"},
        {"subTtl": []},
        {"clsdFlag": "yes"},
        {"opnUTC": []},
        {"taxes": "none"},
        {"detailLines": 7},
        {"tblName": [1], "gstCnt": []},
        {"opnUTC": "2024-02-30T10:00:00.1234567"},
        {"opnUTC": "0001-01-01T00:00:00+03:00"},
        {"opnUTC": "9999-12-31T23:59:59-03:00"},
    ],
)
def test_what_cannot_be_kept_truthfully_is_refused_as_before(field: dict[str, Any]) -> None:
    outcome = prepared(checks(full_check(1, **field), full_check(2)))
    assert (1, 1) == (outcome.document.record_count, outcome.document.quarantined_count)


def test_the_empty_date_of_another_system_is_a_date(warehouse: Warehouse) -> None:
    """Nothing that counts or reports comes to grief, with a renamed field beside it either."""
    empty = {"opnBusDt": "0001-01-01", "opnUTC": "0001-01-01T00:00:00"}
    line = {"guestCheckLineItemId": 5, "busDt": "0001-01-01", "menuItem": {"miNum": 6042}}
    records = [
        full_check(
            number, **empty, subTotal=1, detailLines=[line | {"guestCheckLineItemId": number}]
        )
        for number in range(1, 60)
    ]
    ready = staged(checks(*records, curUTC="0001-01-01T00:00:00"))
    warehouse.load(ready)
    warehouse.load(staged(checks(full_check(1, subTtl=1)), number=1))
    row = warehouse.rows("guest_checks")[1]
    assert date(1, 1, 1) == row["opn_bus_dt"]
    assert datetime(1, 1, 1, tzinfo=UTC) == row["opn_utc"]
    assert date(1, 1, 1) == warehouse.rows("menu_items")[0]["first_seen"]
