"""Checks that contradict themselves are loaded as sent, and the reconciliation view shows them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes import State
from schemas.registry import Source
from tests.support.samples import checks, full_check, staged
from tests.support.warehouse import Warehouse, zoned_warehouse


@pytest.fixture(scope="module")
def opened(stack: Any) -> Iterator[Warehouse]:
    with zoned_warehouse(stack.environment) as warehouse:
        yield warehouse


def load(warehouse: Warehouse, document: Any, number: int = 0) -> State:
    ready = staged(document, Source.ERP, number=number)
    return warehouse.load(ready)[ready.number]


def test_what_contradicts_itself_is_loaded_as_sent_and_shown(warehouse: Warehouse) -> None:
    """Line times, a transaction after closing, quantities, totals, signs: none is a rejection."""
    item = {"miNum": 1}
    times = {"lastUpdateUTC": "2024-11-01T10:10:10", "lastUpdateLcl": "2024-01-01T07:10:10"}
    lines = [
        {"guestCheckLineItemId": 1, "dtlId": 1, "dspTtl": 120, "dspQty": 0, "menuItem": item},
        {"guestCheckLineItemId": 2, "parDtlId": 1, "dspQty": Decimal("-0.5"), "menuItem": item},
        {"guestCheckLineItemId": 3, **times, "dspTtl": None, "aggQty": Decimal("1.5"), "other": {}},
        {"guestCheckLineItemId": 4, "dspTtl": -5, "tenderMedia": {"tmedNum": 1}},
    ]
    odd = full_check(
        1,
        clsdUTC="2024-01-01T12:00:00",
        lastTransUTC="2024-01-01T13:00:00",
        subTtl=110,
        dscTtl=-10,
        payTtl=110,
        chkTtl=-1,
        chkNum=7,
        detailLines=lines,
    )
    even = full_check(2, subTtl=8, payTtl=8, chkNum=7)
    even["detailLines"] = [
        {"guestCheckLineItemId": 5, "dspTtl": 9, "menuItem": item},
        {"guestCheckLineItemId": 6, "dspTtl": -1, "discount": {"dscNum": 1}},
        {"guestCheckLineItemId": 7, "dspTtl": 8, "tenderMedia": {"tmedNum": 1}},
        {"guestCheckLineItemId": 8, "dspTtl": 3, "serviceCharge": {"svcChgNum": 1}},
    ]
    assert State.LOADED == load(warehouse, checks(odd, even))
    rows = warehouse.rows("detail_lines")
    assert [0, Decimal("-0.5"), None] == [row.get("dsp_qty") for row in rows[:3]]
    assert [120, None, None, -5] == [row.get("dsp_ttl") for row in rows[:4]]
    assert (10, 1) == (
        rows[2]["last_update_utc"].month - rows[2]["last_update_lcl"].month,
        rows[1]["par_dtl_id"],
    )
    [shown] = warehouse.query("SELECT * FROM v_check_reconciliation")
    expected = {"guest_check_id": 1, "sub_ttl_difference": -10, "pay_ttl_difference": 115}
    assert expected == {name: shown[name] for name in expected}


def test_lines_that_were_taken_back_do_not_count_and_payments_alone_may_differ(
    warehouse: Warehouse,
) -> None:
    item = {"guestCheckLineItemId": 1, "dspTtl": 5, "menuItem": {"miNum": 1}}
    paid = {"guestCheckLineItemId": 2, "dspTtl": 5, "tenderMedia": {"tmedNum": 1}}
    gone = {"guestCheckLineItemId": 3, "dspTtl": 9, "menuItem": {"miNum": 1}}
    load(warehouse, checks(full_check(1, 1, subTtl=5, payTtl=5, detailLines=[item, paid, gone])))
    assert 1 == len(warehouse.query("SELECT FROM v_check_reconciliation"))
    again = full_check(1, 2, subTtl=5, payTtl=5, detailLines=[item, paid])
    load(warehouse, checks(again), number=1)
    assert [] == warehouse.query("SELECT FROM v_check_reconciliation")
    load(warehouse, checks({**again, "payTtl": 7}), number=2)
    [shown] = warehouse.query("SELECT * FROM v_check_reconciliation")
    assert (0, 2) == (shown["sub_ttl_difference"], shown["pay_ttl_difference"])
