"""Which store-day answer wins, and what its bad rows leave to the answers before."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from consumer.load.document import StagedDocument
from schemas.codes import State
from schemas.registry import Source
from tests.support.loading import column, load, load_day, load_in_every_order
from tests.support.samples import STORE, day_list, prepared
from tests.support.warehouse import Warehouse

TRANSACTIONS = Source.TRANSACTIONS


def test_the_newest_answer_is_the_whole_day(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1, "amount": 1}, {"transactionId": 2, "amount": 2})
    load_day(warehouse, {"transactionId": 2, "amount": 3}, {"transactionId": 4}, number=1)
    assert ["2", "4"] == column(warehouse, "transactions", "record_id")
    assert [Decimal(3), None] == column(warehouse, "transactions", "amount")
    assert ["1"] == [row["record_id"] for row in warehouse.removed("transactions")]


def test_an_older_answer_is_superseded(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1}, curUTC="2024-06-01T00:00:02")
    state = load_day(warehouse, {"transactionId": 2}, curUTC="2024-06-01T00:00:01", number=9)
    assert State.SUPERSEDED == state
    assert ["1"] == column(warehouse, "transactions", "record_id")


def test_ties_go_to_the_event_order(warehouse: Warehouse) -> None:
    """The third answer is older in no respect than the one that stands."""
    early, late = "2024-06-01T00:00:01", "2024-06-01T00:00:02"
    load_day(warehouse, {"transactionId": 1}, curUTC=early, number=9)
    load_day(warehouse, {"transactionId": 2}, curUTC=late, number=2)
    load_day(warehouse, {"transactionId": 3}, curUTC=late, number=4)
    load_day(warehouse, {"transactionId": 4}, curUTC=late, number=3)
    assert ["3"] == column(warehouse, "transactions", "record_id")


def test_an_empty_answer_empties_the_day(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1})
    assert State.LOADED == load_day(warehouse, number=1)
    assert [] == warehouse.rows("transactions")
    assert State.SUPERSEDED == load_day(warehouse, {"transactionId": 1}, {"amount": 1})


def test_ids_repeat_across_stores_and_days(warehouse: Warehouse) -> None:
    for number, (store, day) in enumerate([("001", 1), ("1", 1), ("001", 2)]):
        bus_dt = date(2024, 1, day)
        document = {"busDt": bus_dt.isoformat(), "transactions": [{"transactionId": 1}]}
        load(warehouse, document, TRANSACTIONS, store=store, day=bus_dt, number=number)
    rows = [(row["store_id"], row["bus_dt"].day) for row in warehouse.rows("transactions")]
    assert [("001", 1), ("001", 2), ("1", 1)] == sorted(rows)


def test_a_bad_row_keeps_what_an_older_answer_said_of_it(warehouse: Warehouse) -> None:
    load_day(warehouse, *({"transactionId": number, "amount": number} for number in (1, 2, 3)))
    bad = {"transactionId": 2, "amount": {}}
    assert State.DEAD_LETTERED == load_day(warehouse, {"transactionId": 1}, bad, number=1)
    assert [("1", None), ("2", 2)] == [
        (row["record_id"], row.get("amount")) for row in warehouse.rows("transactions")
    ]


def test_a_bad_row_without_an_id_keeps_everything(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1}, {"transactionId": 2})
    load_day(warehouse, {"transactionId": 3}, 7, number=1)
    assert ["1", "2", "3"] == column(warehouse, "transactions", "record_id")


def test_an_equal_row_is_not_written_again(warehouse: Warehouse) -> None:
    """It still says which object it came from first."""
    same = {"transactionId": 1, "amount": Decimal("5.10"), "new": {"b": 1, "a": 2}}
    load_day(warehouse, same)
    before = warehouse.versions([STORE])["transactions"]
    load_day(warehouse, {"new": {"a": 2, "b": 1}, **same}, {"transactionId": 2}, number=1)
    assert before[0] in warehouse.versions([STORE])["transactions"]


def row(number: int, amount: int) -> dict[str, Any]:
    return {"transactionId": number, "amount": amount}


def bad(number: int) -> dict[str, Any]:
    return {"transactionId": number, "amount": {}}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([[row(1, 11), row(2, 12)], [row(1, 21), bad(2)]], {"1": 21, "2": 12}),
        ([[row(1, 11), row(2, 12)], [row(1, 21)], [row(1, 31), bad(2)]], {"1": 31}),
        ([[row(1, 11)], [row(1, 21), row(2, 22)], [bad(1), row(2, 32)]], {"1": 21, "2": 32}),
        ([[row(1, 11), row(2, 12)], [bad(1)], [bad(2)]], {}),
        ([[row(1, 11), row(2, 12)], [bad(1), bad(2)], [bad(2)]], {"2": 12}),
        ([[row(1, 11), row(2, 12), row(3, 13)], [row(3, 23), 7]], {"1": 11, "2": 12, "3": 23}),
        ([[row(1, 11)], [row(2, 22)], [7]], {"2": 22}),
        ([[row(1, 11), row(2, 12)], [row(2, 22), 7], [row(3, 33), bad(1)]], {"1": 11, "3": 33}),
        ([[row(1, 11), row(2, 12)], [bad(1), 7], [row(2, 32), 7]], {"1": 11, "2": 32}),
        ([[row(1, 11)], [bad(1), row(1, 21)], [bad(1)]], {"1": 21}),
        ([[row(1, 11), row(2, 12)], [bad(2)], []], {}),
    ],
)
def test_what_an_answer_cannot_say_the_newest_one_before_it_does(
    warehouse: Warehouse, answers: list[list[Any]], expected: dict[str, int]
) -> None:
    """In whatever order they come, and in one batch or in several."""

    def write(number: int, store: str) -> StagedDocument:
        document = day_list(TRANSACTIONS, *answers[number], store=store)
        where = {"store": store, "number": number, "key": f"raw/{store}-{number}.json"}
        return prepared(document, TRANSACTIONS, **where).document

    for store in load_in_every_order(warehouse, len(answers), write):
        rows = warehouse.rows("transactions", [store])
        assert expected == {one["record_id"]: one["amount"] for one in rows}, store


def test_a_day_whose_answers_all_have_the_same_bad_row_remembers_only_the_newest(
    warehouse: Warehouse,
) -> None:
    """A fault that stays must not fill the day's row."""
    for number in range(5):
        load_day(warehouse, row(number, 1), bad(9), number=number, key=f"raw/{number}.json")
    for number in range(5):
        load_day(warehouse, row(1, number), 7, number=9 + number, key=f"raw/{9 + number}.json")
    [day] = warehouse.query("SELECT jsonb_array_length(gaps) AS gaps FROM store_days")
    assert 2 == day["gaps"]
    load_day(warehouse, row(1, 1), number=20)
    assert [{"gaps": None}] == warehouse.query("SELECT gaps FROM store_days")


def test_an_answer_that_is_mended_is_whole(warehouse: Warehouse) -> None:
    """The same object, read with other aliases after a replay."""
    load_day(warehouse, row(1, 11), row(2, 12))
    load_day(warehouse, row(1, 21), bad(2), number=1, key="raw/new.json")
    answer = day_list(TRANSACTIONS, row(1, 21), bad(2))
    mended = prepared(answer, TRANSACTIONS, number=1, key="raw/new.json").document
    fixed = prepared(day_list(TRANSACTIONS, row(1, 21), row(3, 23)), TRANSACTIONS).document
    fixed = replace(fixed, identity=mended.identity)
    assert State.LOADED == warehouse.load(fixed)[fixed.number]
    assert ["1", "3"] == column(warehouse, "transactions", "record_id")
    assert [{"gaps": None}] == warehouse.query("SELECT gaps FROM store_days")
