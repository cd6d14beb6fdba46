"""What the analysts' views make of documents that mislead: voids, corrections, gaps, odd invoices."""

from datetime import date
from typing import Any

import pytest

from schemas.registry import Source
from tests.support.loading import load
from tests.support.samples import checks, day_list, full_check
from tests.support.warehouse import Warehouse

DAY: dict[str, Any] = {"opnBusDt": "2024-01-01", "clsdBusDt": "2024-01-01", "clsdFlag": True}


def line(number: int, amount: float | None, **body: Any) -> dict[str, Any]:
    """Write a line; of item 7 unless told otherwise, its quantity signed as its amount is."""
    kind = {} if "discount" in body or "tenderMedia" in body else {"menuItem": {"miNum": 7}}
    quantity = -1 if amount is not None and amount < 0 else 1
    return {
        "guestCheckLineItemId": number,
        "dspTtl": amount,
        "dspQty": quantity,
        **kind,
        **body,
    }


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in warehouse.query(query)]


CORRECTED = {"errorCorrect": {"type": 1, "objectNum": 7}, "errCorFlag": True}


@pytest.mark.parametrize(
    ("lines", "quantity", "sales"),
    [
        ([line(1, 10), line(2, 5), line(3, -5, vdFlag=True)], 1, 10),
        ([line(1, 10), line(2, 5, vdFlag=True)], 1, 10),
        ([line(1, 10), line(2, 0, vdFlag=True), line(3, None, vdFlag=True)], 1, 10),
        ([line(1, 10), line(2, 5, errCorFlag=True), line(3, -5) | CORRECTED], 1, 10),
        ([line(1, 10), line(2, 10), line(3, -5, returnFlag=True)], 1, 15),
    ],
    ids=["mirrored void", "flagged void", "void without amount", "correction", "return"],
)
def test_what_was_voided_or_corrected_was_not_sold_however_the_source_says_so(
    warehouse: Warehouse, lines: list[dict[str, Any]], quantity: int, sales: int
) -> None:
    for one in lines:
        if "errorCorrect" in one:
            del one["menuItem"]
    load(warehouse, checks(full_check(1, **DAY, subTtl=sales, payTtl=0, detailLines=lines)))
    query = "SELECT menu_item_id, quantity, sales FROM v_item_sales"
    assert [(7, quantity, sales)] == rows(warehouse, query)
    assert [] == rows(warehouse, "SELECT * FROM v_check_reconciliation")


def test_the_discounts_of_a_check_are_those_of_its_header(warehouse: Warehouse) -> None:
    """Its lines show one that stayed and one that was voided; the header knows another."""
    given = {"discount": {"dscNum": 101}}
    lines = [line(1, -4, **given), line(2, -2, **given), line(3, 2, vdFlag=True, **given)]
    flagged = [line(1, -3, vdFlag=True, **given)]
    load(
        warehouse,
        checks(
            full_check(1, **DAY, dscTtl=-9, detailLines=lines),
            full_check(2, **DAY, dscTtl=0, detailLines=flagged),
            full_check(3, **DAY, dscTtl=-8, cancelFlag=True),
        ),
    )
    query = "SELECT dsc_num, sum(amount) FROM v_discounts GROUP BY dsc_num ORDER BY dsc_num"
    assert [(101, -4), (None, -5)] == rows(warehouse, query)


def test_a_check_is_open_until_it_says_that_it_is_closed(warehouse: Warehouse) -> None:
    load(
        warehouse,
        checks(
            full_check(1, clsdFlag=False, clsdUTC="2024-01-01T12:00:00"),
            full_check(2, clsdUTC="2024-01-01T12:00:00"),
            full_check(3),
            full_check(4, clsdFlag=True),
        ),
    )
    query = "SELECT guest_check_id FROM v_checks WHERE is_open ORDER BY 1"
    assert [(1,), (3,)] == rows(warehouse, query)


def test_each_way_in_which_invoices_and_checks_disagree_has_its_word(warehouse: Warehouse) -> None:
    load(
        warehouse,
        checks(
            full_check(1, **DAY, chkTtl=10),
            full_check(2, **DAY, chkTtl=10),
            full_check(3, **DAY, chkTtl=10),
            full_check(4, **DAY, chkTtl=10, cancelFlag=True),
            full_check(5, **(DAY | {"clsdBusDt": "2024-01-02"}), chkTtl=10),
        ),
    )
    amounts = {1: (4, 6), 2: (9,), 4: (10,), 8: (1,), None: (2,)}
    invoices = [
        {"amount": amount, "guestCheckId": check}
        for check, parts in amounts.items()
        for amount in parts
    ]
    load(warehouse, day_list(Source.FISCAL_INVOICE, *invoices), Source.FISCAL_INVOICE)
    found = rows(
        warehouse,
        "SELECT guest_check_id, finding, difference FROM v_invoices_against_checks ORDER BY 1",
    )
    assert found == [
        (1, "equal", 0),
        (2, "differs", 1),
        (3, "no_invoice", 10),
        (4, "no_closed_check", -10),
        (5, "invoices_not_loaded", 10),
        (8, "no_closed_check", -1),
        (None, "no_closed_check", -2),
    ]
    states = rows(
        warehouse,
        "SELECT guest_check_id, check_state FROM v_invoices WHERE check_state <> 'closed' ORDER BY 1",
    )
    assert [(4, "cancelled"), (8, "not_loaded"), (None, "not_named")] == states


STORE_DAYS = """
    SELECT store_id, bus_dt, source, state FROM v_store_days
    WHERE bus_dt BETWEEN '2024-01-01' AND '2024-01-31' ORDER BY 1, 2, 3
"""


def load_day(warehouse: Warehouse, source: Source, store: str, day: int, *records: Any) -> None:
    """Load a store's answer about a day of January."""
    where = {"store": store, "day": date(2024, 1, day)}
    if source is Source.GUEST_CHECKS:
        load(warehouse, checks(*records, store=store), source, **where)
    else:
        root = {"store": store, "busDt": f"2024-01-{day:02}"}
        load(warehouse, day_list(source, *records, **root), source, **where)


def dead_letter(warehouse: Warehouse, source: Source, day: int, written: str) -> None:
    """Enter an answer about store A that could not be read at all, as the consumer does."""
    warehouse.query(
        "INSERT INTO ingested_objects"
        " (bucket, object_key, source, store_id, bus_dt, state, event_time, received_at)"
        " VALUES ('lake', %s, %s, 'A', %s, 'dead_lettered', %s, now()) RETURNING 1",
        f"{source} {day}",
        source,
        date(2024, 1, day),
        written,
    )


def test_a_day_is_loaded_closed_missing_or_dead_lettered(warehouse: Warehouse) -> None:
    """Stores are expected for a week around what is known of them, until the last known day.

    The far future is no known day. Dead letters older than what is loaded are settled.
    """
    checks_of, cash = Source.GUEST_CHECKS, Source.CASH_MANAGEMENT
    opened = full_check(1, opnBusDt="2024-01-10")
    load_day(warehouse, checks_of, "A", 10, opened)
    load_day(warehouse, cash, "A", 10)
    load_day(warehouse, checks_of, "A", 11)
    load_day(warehouse, cash, "A", 11)
    load_day(warehouse, checks_of, "A", 12)
    dead_letter(warehouse, cash, 11, "2024-05-01Z")
    dead_letter(warehouse, checks_of, 12, "2024-07-01Z")
    dead_letter(warehouse, cash, 12, "2024-07-01Z")
    load(warehouse, checks(full_check(2, opnBusDt="9999-12-31"), store="A"))
    load_day(warehouse, cash, "B", 3)
    found = {
        (store, day.day, source): state for store, day, source, state in rows(warehouse, STORE_DAYS)
    }
    assert {"A", "B"} == {store for store, _, _ in found}
    about_a = {key[1:]: state for key, state in found.items() if key[0] == "A"}
    missing = {key for key, state in about_a.items() if state == "missing"}
    assert missing == {(day, source) for day in range(3, 10) for source in (checks_of, cash)}
    assert {key: state for key, state in about_a.items() if key not in missing} == {
        (10, checks_of): "loaded",
        (10, cash): "loaded",
        (11, checks_of): "closed",
        (11, cash): "closed",
        (12, checks_of): "dead_lettered",
        (12, cash): "dead_lettered",
    }
    about_b = {key[1:]: state for key, state in found.items() if key[0] == "B"}
    assert "loaded" == about_b.pop((3, cash))
    assert about_b.keys() == {(3, checks_of)} | {
        (day, source) for day in range(4, 11) for source in (checks_of, cash)
    }
    assert {"missing"} == set(about_b.values())
