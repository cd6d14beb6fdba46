"""What two sessions do to each other when their transactions overlap."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from consumer.batches import StagedDocument, load_batch
from schemas.sources import Source
from tests.samples import checks, day_list, full_check, staged
from tests.warehouse import Warehouse, open_warehouse

LINE = {"guestCheckLineItemId": 9}
SAME_CURUTC = "2024-06-01T00:00:00"


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    with open_warehouse(database) as opened:
        yield opened


def load_while_other_is_uncommitted(
    warehouse: Warehouse, first: StagedDocument, second: StagedDocument
) -> None:
    """Let `second` run into the rows of `first`, whose transaction commits only then."""

    async def race() -> None:
        one, other = warehouse.sessions
        async with one.transaction():
            await load_batch(one, [first])
            waiting = asyncio.create_task(load_batch(other, [second]))
            await until_blocked()
        await waiting

    async def until_blocked() -> None:
        deadline = time.monotonic() + 10
        while not warehouse.query(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    warehouse.runner.run(race())


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
def test_a_line_that_two_checks_claim_at_once_goes_to_the_newer_check(
    warehouse: Warehouse, *, newer_first: bool
) -> None:
    """The other check's version commits while the upsert waits for the line."""
    before = staged(checks(full_check(1, version=1, detailLines=[LINE])), key="raw/erp/a.json")
    after = staged(checks(full_check(2, version=2, detailLines=[LINE])), key="raw/erp/b.json")
    first, second = (after, before) if newer_first else (before, after)
    load_while_other_is_uncommitted(warehouse, first, second)
    assert [2] == [row["guest_check_id"] for row in warehouse.rows("detail_lines")]


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
