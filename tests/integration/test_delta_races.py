"""What was left unread, while another session is about to change it, or has what it waits for."""

import asyncio
from collections.abc import Iterator

import pytest

from consumer.ingest.prepare import Fetched
from consumer.load.document import ChangedMeanwhile
from consumer.load.transaction import load_batch
from schemas.registry import Source
from tests.support.delta import prepare_delta
from tests.support.racing import load_while_other_is_uncommitted, until_blocked
from tests.support.samples import changed_line, checks, day_list, fetched, usual_check
from tests.support.warehouse import Warehouse, open_warehouse, requests

CHECK, OTHER = usual_check(1, tblName="A"), usual_check(1, tblName="B")


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    with open_warehouse(database) as opened:
        yield opened


def answer(number: int, *records: object) -> Fetched:
    """Write an answer as of this minute."""
    written = checks(*records, curUTC=f"2024-01-01T10:{number:02}:00")
    return fetched(written, Source.GUEST_CHECKS, key=f"raw/{number}.json", number=number)


def transactions(number: int, amount: int) -> Fetched:
    """Write a list as of this minute."""
    row = {"transactionId": 1, "amount": amount}
    written = day_list(Source.TRANSACTIONS, row, curUTC=f"2024-01-01T10:{number:02}:00")
    return fetched(written, Source.TRANSACTIONS, key=f"raw/{number}.json", number=number)


@pytest.mark.parametrize(
    ("stored", "changed", "again"),
    [
        (answer(1, CHECK), answer(2, OTHER), answer(3, CHECK)),
        (transactions(1, 5), transactions(2, 6), transactions(3, 5)),
    ],
)
def test_a_change_that_is_committed_while_its_lock_is_waited_for_is_noticed(
    warehouse: Warehouse, stored: Fetched, changed: Fetched, again: Fetched
) -> None:
    """Else the newer answer would date what it does not say."""
    warehouse.load(prepare_delta(warehouse, stored).document)
    unread = prepare_delta(warehouse, again).document
    assert 1 == unread.unchanged_count
    with pytest.raises(ChangedMeanwhile):
        load_while_other_is_uncommitted(
            warehouse, prepare_delta(warehouse, changed).document, unread
        )


def test_who_waits_for_a_new_item_holds_no_unread_check_yet(warehouse: Warehouse) -> None:
    """The other one has the item, and wants the check: each would wait for the other."""
    sold = changed_line(2, menuItem={"miNum": 77})
    warehouse.load(prepare_delta(warehouse, answer(1, CHECK)).document)
    unread = prepare_delta(warehouse, answer(3, CHECK, sold)).document
    assert 1 == unread.unchanged_count
    seller = prepare_delta(warehouse, answer(2, changed_line(3, menuItem={"miNum": 77}))).document

    async def race() -> None:
        one, other = warehouse.sessions
        async with one.transaction():
            await load_batch(one, requests(seller))
            waiting = asyncio.create_task(load_batch(other, requests(unread)))
            await until_blocked(warehouse)
            await one.execute("SELECT FROM guest_checks WHERE guest_check_id = 1 FOR UPDATE NOWAIT")
        await waiting

    warehouse.runner.run(race())
    assert 3 == len(warehouse.rows("guest_checks"))
