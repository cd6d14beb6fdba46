"""How many records a store-day's newest answer has, and how many of them were set aside."""

from typing import Any

from consumer.load.document import LoadRequest
from schemas.registry import Source
from tests.support.loading import load, load_day
from tests.support.samples import checks, day_list, full_check, prepared
from tests.support.warehouse import Warehouse


def days(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    rows = warehouse.query(
        "SELECT bus_dt, records, quarantined FROM store_days ORDER BY source, bus_dt"
    )
    return [(row["bus_dt"].day, row["records"], row["quarantined"]) for row in rows]


def test_a_day_has_the_records_of_its_newest_answer(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1}, {"transactionId": 2}, number=2)
    load_day(warehouse, {"transactionId": 1}, number=1)
    assert [(1, 2, 0)] == days(warehouse)
    load_day(warehouse, number=3)
    assert [(1, 0, 0)] == days(warehouse)
    answer = day_list(Source.TRANSACTIONS, {"transactionId": 1}, 7)
    bad = prepared(answer, Source.TRANSACTIONS, number=4).document
    warehouse.load(LoadRequest(bad, error_message="bad", error_log_key="log"))
    assert [(1, 1, 1)] == days(warehouse)


def test_an_export_counts_on_each_day_the_checks_that_opened_on_it(warehouse: Warehouse) -> None:
    """A check that comes twice counts once."""
    opened = [
        full_check(number, opnBusDt=f"2024-01-0{day}") for number, day in enumerate((1, 1, 2))
    ]
    load(warehouse, checks(*opened, opened[0]))
    assert [(1, 2, 0), (2, 1, 0)] == days(warehouse)
    later = [full_check(number, 1, opnBusDt="2024-01-02") for number in (2, 4)]
    load(warehouse, checks(*opened[:2], *later), number=1)
    assert [(1, 2, 0), (2, 2, 0)] == days(warehouse)
    load(warehouse, checks(full_check(9, opnBusDt="2024-01-01")), number=2)
    assert [(1, 1, 0), (2, 2, 0)] == days(warehouse)
