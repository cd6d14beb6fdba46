"""What two sessions do to each other when their transactions overlap."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace

import psycopg
import pytest
import structlog

from consumer.load.batcher import postgres_load
from consumer.load.database import open_pool
from consumer.load.document import StagedDocument
from consumer.load.transaction import load_batch
from schemas.codes import State
from schemas.registry import Source
from tests.support.racing import load_while_other_is_uncommitted, until_blocked
from tests.support.samples import checks, day_list, full_check, staged
from tests.support.warehouse import Warehouse, open_warehouse, requests

LOCK = "SELECT 1 FROM guest_checks WHERE guest_check_id = %s FOR UPDATE"
SAME_CURUTC = "2024-06-01T00:00:00"


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    with open_warehouse(database) as opened:
        yield opened


@pytest.mark.parametrize("newer_first", [True, False])
def test_of_two_equal_versions_at_once_the_later_written_stands(
    warehouse: Warehouse, *, newer_first: bool
) -> None:
    """The other document's place in the event order commits while the upsert waits for its row."""
    older = staged(checks(full_check(1, gstCnt=1), curUTC=SAME_CURUTC), key="raw/erp/a.json")
    newer = staged(
        checks(full_check(1, gstCnt=2), curUTC=SAME_CURUTC), key="raw/erp/b.json", number=1
    )
    first, second = (newer, older) if newer_first else (older, newer)
    load_while_other_is_uncommitted(warehouse, first, second)
    assert [2] == [row["gst_cnt"] for row in warehouse.rows("guest_checks")]


@pytest.mark.parametrize("newer_first", [True, False])
def test_of_two_writes_of_a_key_at_once_the_one_with_the_larger_sequencer_stands(
    warehouse: Warehouse, *, newer_first: bool
) -> None:
    """Its time says otherwise, and neither sees the other's ledger row before it commits."""
    ordered = []
    for value, sequencer in ((1, "0A"), (2, "0B")):
        check = full_check(1, gstCnt=value)
        document = staged(checks(check, curUTC=SAME_CURUTC), number=3 - value)
        event = replace(document.identity.event, sequencer=sequencer)
        ordered.append(replace(document, identity=replace(document.identity, event=event)))
    first, second = reversed(ordered) if newer_first else ordered
    load_while_other_is_uncommitted(warehouse, first, second)
    assert [2] == [row["gst_cnt"] for row in warehouse.rows("guest_checks")]


@pytest.mark.parametrize("newer_first", [True, False])
def test_of_two_answers_for_one_day_at_once_the_newer_stands(
    warehouse: Warehouse, *, newer_first: bool
) -> None:
    source = Source.TRANSACTIONS
    older = staged(day_list(source, {"transactionId": 1}), source, key="raw/a", number=1)
    newer = staged(day_list(source, {"transactionId": 2}), source, key="raw/b", number=2)
    first, second = (newer, older) if newer_first else (older, newer)
    load_while_other_is_uncommitted(warehouse, first, second)
    assert ["2"] == [row["record_id"] for row in warehouse.rows("transactions")]


@pytest.mark.parametrize("partial_first", [True, False])
def test_a_full_and_a_partial_document_of_one_check_at_once_lose_nothing(
    warehouse: Warehouse, *, partial_first: bool
) -> None:
    partial = staged(
        checks({"guestCheckId": 1, "gstCnt": 5, "taxes": [{"taxNum": 1, "type": 3}]}),
        key="raw/erp/p.json",
        number=2,
    )
    full = staged(
        checks(full_check(1, chkNum=7, gstCnt=1, taxes=[{"taxNum": 1, "taxRate": 21}])),
        key="raw/erp/f.json",
        number=1,
    )
    first, second = (partial, full) if partial_first else (full, partial)
    load_while_other_is_uncommitted(warehouse, first, second)
    [check] = warehouse.rows("guest_checks")
    assert (7, 5) == (check["chk_num"], check["gst_cnt"])
    [tax] = warehouse.rows("taxes")
    assert (21, 3) == (tax["tax_rate"], tax["type"])


@pytest.mark.parametrize("partial", [False, True])
def test_two_sessions_that_load_the_same_checks_in_opposite_order_do_not_deadlock(
    warehouse: Warehouse, *, partial: bool
) -> None:
    """Both wait for a check in the middle.

    In the order of the files each would then hold what the other wants.
    """
    numbers = range(1, 10)
    load_checks(warehouse, "a", 0, numbers)
    documents = [
        write_checks("b", 1, numbers, partial=partial),
        write_checks("c", 2, reversed(numbers), partial=partial),
    ]

    async def race() -> None:
        async with await psycopg.AsyncConnection.connect(**warehouse.settings.conninfo) as third:
            await third.execute(LOCK, [5])
            sessions = zip(warehouse.sessions, documents, strict=True)
            loads = [asyncio.create_task(load_batch(one, requests(what))) for one, what in sessions]
            await until_blocked(warehouse, sessions=2)
            await third.rollback()
            await asyncio.gather(*loads)

    warehouse.runner.run(race())
    assert {2} == {row["gst_cnt"] for row in warehouse.rows("guest_checks")}


def write_checks(
    name: str, version: int, numbers: Iterable[int], *, partial: bool = False
) -> StagedDocument:
    """Write checks that tell their version, in the given order."""
    records = [full_check(number, version, gstCnt=version) for number in numbers]
    if partial:
        for record in records:
            del record["lastUpdatedUTC"]
    return staged(checks(*records), key=f"raw/erp/{name}.json", number=version)


def load_checks(warehouse: Warehouse, name: str, version: int, numbers: Iterable[int]) -> None:
    warehouse.load(write_checks(name, version, numbers))


def test_a_batch_that_is_the_victim_of_a_deadlock_is_loaded_again(warehouse: Warehouse) -> None:
    """Somebody else's transaction takes the checks in another order, and never gives way."""
    load_checks(warehouse, "a", 0, (1, 2))

    async def race() -> State:
        document = write_checks("b", 1, (1, 2))
        async with (
            open_pool(warehouse.settings, 1) as pool,
            await psycopg.AsyncConnection.connect(**warehouse.settings.conninfo) as other,
        ):
            await other.execute("SET deadlock_timeout = '1h'")
            await other.execute(LOCK, [2])
            loading = asyncio.create_task(postgres_load(pool)(requests(document)))
            await until_blocked(warehouse)
            await other.execute(LOCK, [1])
            await other.rollback()
            return (await loading)[document.number]

    with structlog.testing.capture_logs() as logged:
        assert State.LOADED == warehouse.runner.run(race())
    assert ["40P01"] == [
        entry["sqlstate"] for entry in logged if entry["event"] == "batch_conflict"
    ]
    assert [1, 1] == [row["gst_cnt"] for row in warehouse.rows("guest_checks")]
