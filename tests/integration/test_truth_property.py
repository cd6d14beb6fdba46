"""However often, in whatever order and company events arrive, the tables tell one truth.

TRUTH_EXAMPLES says how many histories to try and lets a failing one be made smaller, which may
take minutes; without it the same few are tried every time.
"""

import asyncio
import itertools
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import prepare
from consumer.load.document import StagedDocument
from schemas.aliases import load_aliases
from schemas.registry import Source
from tests.support.contents import check_records, list_records
from tests.support.delta import load_delta, told
from tests.support.oracle import Put, expected_tables
from tests.support.samples import (
    ALIASES,
    NO_LIMIT,
    NOON,
    checks,
    day_list,
    fetched,
    prepared,
    staged,
)
from tests.support.scenarios import History, Version, histories
from tests.support.truth import assert_truth, live_rows
from tests.support.warehouse import DATA_TABLES, Warehouse, open_warehouse

HUNTING = "TRUTH_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("TRUTH_EXAMPLES", "15"))

_runs = itertools.count(1)


def tried(examples: int) -> settings:
    return settings(
        max_examples=max(examples, 1),
        derandomize=not HUNTING,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=(Phase.generate, Phase.shrink) if HUNTING else (Phase.generate,),
    )


def document(version: Version) -> StagedDocument:
    return prepare(version.fetched, ALIASES, NO_LIMIT).document


def deliver(warehouse: Warehouse, history: History) -> None:
    for session, numbers in history.batches:
        batch = [document(history.versions[number]) for number in numbers]
        warehouse.load(*batch, session=session)


def deliver_at_once(warehouse: Warehouse, history: History) -> None:
    shares: tuple[list[list[StagedDocument]], ...] = ([], [])
    for session, numbers in history.batches:
        shares[session].append([document(history.versions[number]) for number in numbers])
    warehouse.load_at_once(shares)


def deliver_delta(warehouse: Warehouse, history: History) -> None:
    for session, numbers in history.batches:
        batch = [history.versions[number].fetched for number in numbers]
        warehouse.runner.run(load_delta(warehouse.sessions[session], batch))


def deliver_delta_at_once(warehouse: Warehouse, history: History) -> None:
    async def deliver_share(number: int) -> None:
        for session, numbers in history.batches:
            if session == number:
                batch = [history.versions[number].fetched for number in numbers]
                await load_delta(warehouse.sessions[session], batch)

    async def deliver_all() -> None:
        await asyncio.gather(deliver_share(0), deliver_share(1))

    warehouse.runner.run(deliver_all())


@pytest.fixture
def warehouse(database: dict[str, str]):
    with open_warehouse(database) as opened:
        yield opened


def test_any_delivery_of_a_history_ends_in_the_tables_that_its_documents_say(
    warehouse: Warehouse,
) -> None:
    """Events come in any order, several times, in any batches, through two sessions."""

    @tried(EXAMPLES)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories(f"a{next(_runs)}"))
        deliver(warehouse, history)
        assert_truth(warehouse, history)

    holds()


def test_a_history_ends_in_the_same_tables_whether_or_not_what_stands_is_read_again(
    warehouse: Warehouse,
) -> None:
    """Provenance, ledger and store-days are the same too; only drift is counted once."""

    @tried(EXAMPLES)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories(f"d{next(_runs)}"))
        warehouse.empty()
        deliver(warehouse, history)
        in_full = told(warehouse, history.stores)
        warehouse.empty()
        deliver_delta(warehouse, history)
        for table, rows in told(warehouse, history.stores).items():
            assert in_full[table] == rows, table

    holds()


def test_two_sessions_at_once_end_in_the_same_tables_though_they_do_not_read_what_stands(
    warehouse: Warehouse,
) -> None:
    """What stood when one asked may have been changed by the other when it loads."""

    @tried(EXAMPLES // 2)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories(f"f{next(_runs)}"))
        deliver_delta_at_once(warehouse, history)
        assert_truth(warehouse, history)

    holds()


def test_loading_everything_once_more_rewrites_no_row(warehouse: Warehouse) -> None:
    """Each row is still the very tuple that the first delivery wrote."""

    @tried(EXAMPLES // 2)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories(f"b{next(_runs)}"))
        deliver(warehouse, history)
        before = warehouse.versions(history.stores)
        deliver(warehouse, history)
        assert before == warehouse.versions(history.stores)

    holds()


def test_two_sessions_at_once_end_in_the_same_tables(warehouse: Warehouse) -> None:
    """Transactions overlap: neither waits for the other unless rows make it."""

    @tried(EXAMPLES // 2)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories(f"c{next(_runs)}"))
        deliver_at_once(warehouse, history)
        assert_truth(warehouse, history)

    holds()


RENAMED = "checkNumber"  # of guestCheckId: without an alias a check lacks its key
FIXED = load_aliases(f'[getGuestChecks]\n"guestChecks.guestCheckId" = ["{RENAMED}"]')


def test_quarantined_checks_load_once_an_alias_mends_them_and_no_other_row_is_touched(
    warehouse: Warehouse,
) -> None:
    """The replayed object is the same; the good records of it were loaded before."""

    @tried(EXAMPLES // 2)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        store = f"d{next(_runs)}"
        good, bad = (data.draw(check_records(number)) for number in (1, 2))
        renamed = {RENAMED if name == "guestCheckId" else name: bad[name] for name in bad}
        written = checks(*data.draw(st.permutations([good, renamed])), store=store)
        found = fetched(written, key=f"raw/erp/{store}.json")
        first = prepare(found, ALIASES, NO_LIMIT)
        assert [renamed] == [written["guestChecks"][bad_position(first)]]
        warehouse.load(first.document)
        before = warehouse.versions([store])
        mended = prepare(found, FIXED, NO_LIMIT)
        assert [] == mended.quarantined
        warehouse.load(mended.document)
        after = warehouse.versions([store])
        # Checks are digested anew: other renames may read the same bytes in another way.
        untouched = set(DATA_TABLES) - {"guest_checks"} if shares_no_item(good, bad) else set()
        for table in untouched:
            assert before[table] == [row for row in after[table] if row in before[table]]
        put = Put("erp", store, None, NOON, 0, (good, bad))
        for table, rows in expected_tables([put]).items():
            assert rows == live_rows(warehouse, table, [store]), table

    holds()


def bad_position(prepared: Prepared) -> int:
    [record] = prepared.quarantined
    return int(record.path.removeprefix("guestChecks[").removesuffix("]"))


def shares_no_item(*records: dict[str, Any]) -> bool:
    """Say whether no two checks sold one item, whose first and last day both may change."""
    items = [
        {(line.get("menuItem") or {}).get("miNum") for line in record.get("detailLines") or ()}
        for record in records
    ]
    return not set.intersection(*items) - {None}


def test_quarantined_rows_load_once_a_corrected_answer_comes_and_no_other_row_is_touched(
    warehouse: Warehouse,
) -> None:
    """The corrected answer is a new object version with the same good rows."""

    @tried(EXAMPLES // 2)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        store, source = f"e{next(_runs)}", Source.TRANSACTIONS
        good = data.draw(st.lists(list_records(source.value), max_size=3))
        rows = data.draw(st.permutations([*good, {"transactionId": "mended", "amount": {}}]))
        key = f"raw/{store}.json"
        bad = prepared(day_list(source, *rows, store=store), source, store=store, key=key)
        assert ["mended"] == [record.record_id for record in bad.quarantined]
        warehouse.load(bad.document)
        before = warehouse.versions([store])["transactions"]
        mended = [{**row, "amount": 5} if row.get("amount") == {} else row for row in rows]
        document = day_list(source, *mended, store=store)
        warehouse.load(staged(document, source, store=store, key=key, number=1))
        after = warehouse.versions([store])["transactions"]
        assert before == [row for row in after if row in before]
        assert len(after) == len(before) + 1

    holds()
