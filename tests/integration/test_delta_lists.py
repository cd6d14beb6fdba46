"""What stands of a store-day list is not read again; what could make that wrong is read in full."""

from typing import Any

import pytest

from consumer.load.document import ChangedMeanwhile
from schemas.codes import State
from schemas.registry import Source
from tests.support.delta import prepare_delta
from tests.support.loading import column
from tests.support.samples import STORE, day_list, fetched
from tests.support.warehouse import Warehouse

DAY = Source.TRANSACTIONS


class Days:
    """Loads answers of one store-day list; says how many rows of each were not read."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.states: list[State] = []

    def load(self, *amounts: Any, number: int, as_of: int) -> int:
        """Load an answer with these amounts as the `number`th object, as of some minute."""
        rows = [{"transactionId": place, "amount": a} for place, a in enumerate(amounts)]
        answer = day_list(DAY, *rows, curUTC=f"2024-01-01T10:{as_of:02}:00")
        found = fetched(answer, DAY, key=f"raw/list{number}.json", number=number)
        document = prepare_delta(self.warehouse, found).document
        self.states.append(self.warehouse.load(document)[document.number])
        return document.unchanged_count

    def amounts(self) -> list[Any]:
        """Return what the table says, row by row."""
        return column(self.warehouse, "transactions", "amount")


def test_an_unchanged_list_is_not_read_but_its_day_is_dated(warehouse: Warehouse) -> None:
    days = Days(warehouse)
    assert 0 == days.load(1, 2, number=1, as_of=1)
    before = warehouse.versions([STORE])["transactions"]
    assert 2 == days.load(1, 2, number=2, as_of=3)
    assert before == warehouse.versions([STORE])["transactions"]
    [day] = warehouse.query("SELECT as_of::text, whole_as_of::text FROM store_days")
    assert {"as_of": "2024-01-01 10:03:00+00", "whole_as_of": "2024-01-01 10:03:00+00"} == day
    assert 0 == days.load(7, number=3, as_of=2)
    assert [1, 2] == days.amounts()
    assert [State.LOADED, State.LOADED, State.SUPERSEDED] == days.states
    assert 2 == days.load(1, 2, number=4, as_of=4)
    assert 0 == days.load(7, number=5, as_of=5)


def test_a_list_is_read_while_an_answer_with_quarantined_rows_is_newer(
    warehouse: Warehouse,
) -> None:
    """What the newer one tells stands in the rows of the older one's answer."""
    days = Days(warehouse)
    days.load(1, 2, number=1, as_of=1)
    days.load(5, {}, number=2, as_of=2)
    assert 0 == days.load(5, {}, number=3, as_of=3)
    assert State.DEAD_LETTERED is days.states[-1]
    assert [5, 2] == days.amounts()
    assert 0 == days.load(1, 2, number=4, as_of=4)
    assert [1, 2] == days.amounts()
    assert 2 == days.load(1, 2, number=5, as_of=5)


def test_a_list_that_was_loaded_before_or_by_a_release_without_digests_is_read(
    warehouse: Warehouse,
) -> None:
    days = Days(warehouse)
    days.load(1, number=1, as_of=1)
    assert 0 == days.load(1, number=1, as_of=1)
    days.load(2, number=2, as_of=2)
    # As the older release would have written 2 over 1.
    warehouse.query("UPDATE store_days SET digest_object_id = digest_object_id - 1 RETURNING 1")
    assert 0 == days.load(2, number=3, as_of=3)
    assert 1 == days.load(2, number=4, as_of=4)


@pytest.mark.parametrize("change", [(8, 9), (8, {})])
def test_a_list_that_changed_after_it_was_asked_for_is_noticed_under_the_lock(
    warehouse: Warehouse, change: tuple[Any, ...]
) -> None:
    days = Days(warehouse)
    days.load(1, 2, number=1, as_of=1)
    rows = [{"transactionId": place, "amount": place + 1} for place in range(2)]
    answer = day_list(DAY, *rows, curUTC="2024-01-01T10:09:00")
    found = fetched(answer, DAY, key="raw/later.json", number=9)
    document = prepare_delta(warehouse, found).document
    assert 2 == document.unchanged_count
    days.load(*change, number=2, as_of=2)
    with pytest.raises(ChangedMeanwhile) as changed:
        warehouse.load(document)
    assert {document.number} == changed.value.numbers


def test_an_unread_list_and_an_older_answer_in_one_batch_leave_the_rows_that_stand(
    warehouse: Warehouse,
) -> None:
    """The unread one has no rows in the batch: none of those that stand is removed for that."""
    days = Days(warehouse)
    days.load(1, 2, number=1, as_of=1)
    later = [(1, 2), (7,)]
    found = [
        fetched(
            day_list(
                DAY,
                *({"transactionId": place, "amount": a} for place, a in enumerate(amounts)),
                curUTC=f"2024-01-01T10:0{9 - number}:00",
            ),
            DAY,
            key=f"raw/batch{number}.json",
            number=number + 5,
        )
        for number, amounts in enumerate(later)
    ]
    warehouse.load(*(prepare_delta(warehouse, one).document for one in found))
    assert [1, 2] == days.amounts()


def test_a_list_that_a_release_without_digests_writes_meanwhile_is_noticed_under_the_lock(
    warehouse: Warehouse,
) -> None:
    """It leaves the digest of what the day said before."""
    days, row = Days(warehouse), {"transactionId": 0, "amount": 1}
    days.load(1, number=1, as_of=1)
    later = day_list(DAY, row, curUTC="2024-01-01T10:09:00")
    unread = prepare_delta(warehouse, fetched(later, DAY, key="raw/list.json", number=9)).document
    assert 1 == unread.unchanged_count
    warehouse.query("UPDATE store_days SET digest_object_id = 0 RETURNING 1")
    with pytest.raises(ChangedMeanwhile):
        warehouse.load(unread)


def row_versions(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    """Return by each row's id which transactions wrote it, and locked it since."""
    rows = warehouse.query("SELECT record_id, xmin::text, xmax::text FROM transactions")
    return {row["record_id"]: (row["xmin"], row["xmax"]) for row in rows}


def test_one_changed_amount_writes_one_row_and_touches_no_other(warehouse: Warehouse) -> None:
    days = Days(warehouse)
    days.load(1, 2, 3, 4, number=1, as_of=1)
    before = row_versions(warehouse)
    assert 0 == days.load(1, 2, 7, 4, number=2, as_of=2)
    after = row_versions(warehouse)
    assert {"2"} == {record_id for record_id, row in before.items() if after[record_id] != row}
    assert [1, 2, 7, 4] == days.amounts()


def test_of_a_changed_list_what_is_gone_is_marked_and_what_comes_back_is_written(
    warehouse: Warehouse,
) -> None:
    days = Days(warehouse)
    for number, amounts in enumerate([(1, 2, 3), (1, 2), (1, 2, 3), (1, 5)], 1):
        days.load(*amounts, number=number, as_of=number)
        assert list(amounts) == days.amounts()
    assert [State.LOADED] * 4 == days.states


def test_a_list_that_flips_and_flips_back_out_of_order_ends_as_the_newest_says(
    warehouse: Warehouse,
) -> None:
    """Of which all rows but one are the same each time."""
    days = Days(warehouse)
    days.load(1, 2, 3, number=1, as_of=1)
    days.load(1, 2, 3, number=3, as_of=3)
    days.load(1, 7, number=2, as_of=2)
    assert [1, 2, 3] == days.amounts()
    days.load(1, 8, 3, number=5, as_of=5)
    days.load(1, 9, 3, number=4, as_of=4)
    assert [1, 8, 3] == days.amounts()
    assert State.SUPERSEDED is days.states[2] is days.states[-1]
