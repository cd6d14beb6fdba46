"""What `consumer prune` drops decides nothing any more: the tables stay what they are."""

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.ingest.prepare import prepare
from consumer.load.ledger import pruned_keys
from consumer.operate import prune
from schemas.codes import State
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey, api_key
from schemas.registry import Source
from tests.support.loading import load
from tests.support.samples import ALIASES, DAY, NO_LIMIT, NOON, STORE, checks, day_list, full_check
from tests.support.scenarios import History, histories
from tests.support.tables import DATA_TABLES
from tests.support.truth import assert_truth
from tests.support.warehouse import Warehouse

INVOICES = Source("getFiscalInvoice")
_runs = itertools.count(1)


def pruned(warehouse: Warehouse, *, dry_run: bool = False) -> dict[str, int]:
    """Prune as if everything had been loaded long ago; return what was dropped."""
    with psycopg.connect(**warehouse.settings.conninfo) as connection:
        connection.execute("UPDATE ingested_objects SET committed_at = '2024-06-02Z'")
    dropped: dict[str, int] = {}
    older_than = datetime.now(UTC) - timedelta(days=30)

    async def work() -> None:
        session = warehouse.sessions[0]
        await prune.drop(session, older_than, dropped, lambda *_: None, dry_run=dry_run)

    warehouse.runner.run(work())
    return {kind: count for kind, count in dropped.items() if count}


def invoice(number: int, amount: int) -> dict[str, Any]:
    return {"invoiceId": number, "amount": amount}


def key(number: int, day: date = DAY) -> str:
    return api_key(INVOICES, day, STORE, NOON + timedelta(seconds=number))


def answer(warehouse: Warehouse, number: int, *rows: dict[str, Any]) -> State:
    return load(warehouse, day_list(INVOICES, *rows), INVOICES, number=number, key=key(number))


def export(warehouse: Warehouse, number: int, document: dict[str, Any]) -> State:
    return load(warehouse, document, number=number, key=f"raw/erp/{number:06}.json")


def everything(warehouse: Warehouse) -> dict[str, Any]:
    return {table: warehouse.rows(table) for table in DATA_TABLES}


def test_an_answer_that_nothing_refers_to_goes_and_its_event_changes_nothing(
    warehouse: Warehouse,
) -> None:
    answer(warehouse, 1, invoice(1, 10), invoice(2, 20))
    answer(warehouse, 2, invoice(1, 11))
    before = everything(warehouse)
    expected = {"removed fiscal_invoices": 1, "ledger": 1}
    assert expected == pruned(warehouse, dry_run=True)
    assert expected == pruned(warehouse)
    assert {} == pruned(warehouse)
    assert State.SUPERSEDED == answer(warehouse, 1, invoice(1, 10), invoice(2, 20))
    assert before == everything(warehouse)
    assert [] == warehouse.removed("fiscal_invoices")


def test_what_a_row_comes_from_stays(warehouse: Warehouse) -> None:
    """The second answer changes nothing, so the row's provenance is still the first."""
    answer(warehouse, 1, invoice(1, 10))
    answer(warehouse, 2, invoice(1, 10))
    assert {} == pruned(warehouse)


def test_what_was_dead_lettered_stays(warehouse: Warehouse) -> None:
    """Somebody may want to know, and replay it."""
    answer(warehouse, 1, invoice(1, 10))
    with psycopg.connect(**warehouse.settings.conninfo) as connection:
        connection.execute("UPDATE ingested_objects SET state = 'dead_lettered'")
    answer(warehouse, 2, invoice(1, 11))
    assert {} == pruned(warehouse)


def test_reconcile_takes_what_was_pruned_as_received(warehouse: Warehouse) -> None:
    """But not an answer for a day that no table knows."""
    answer(warehouse, 1, invoice(1, 10))
    answer(warehouse, 2, invoice(1, 11))
    tomorrow = DAY + timedelta(days=1)
    objects = [
        (
            ObjectEvent("lake", key(1, day), "ObjectCreated:Put", event_time=NOON),
            ApiKey(INVOICES, day, STORE),
        )
        for day in (DAY, tomorrow)
    ]

    def found() -> set[str]:
        return warehouse.runner.run(pruned_keys(warehouse.sessions[0], objects))

    with psycopg.connect(**warehouse.settings.conninfo) as connection:
        connection.execute("TRUNCATE prunings")
    assert set() == found()
    pruned(warehouse)
    assert {key(1)} == found()


def test_a_row_that_a_batch_holds_is_passed_by(warehouse: Warehouse) -> None:
    """Waiting for it, with other rows locked, could end in a deadlock."""
    answer(warehouse, 1, invoice(1, 10), invoice(2, 20))
    answer(warehouse, 2, invoice(1, 11))
    with psycopg.connect(**warehouse.settings.conninfo) as held:
        held.execute("SELECT FROM fiscal_invoices WHERE removed_at IS NOT NULL FOR UPDATE")
        assert {"ledger": 1} == pruned(warehouse)
    assert {"removed fiscal_invoices": 1} == pruned(warehouse)


@pytest.mark.parametrize(
    ("updated", "expected"), [("2024-06-01T13:00:00", {"patches": 2}), (None, {})]
)
def test_patches_go_once_the_check_itself_is_newer(
    warehouse: Warehouse, updated: str | None, expected: dict[str, int]
) -> None:
    """A full document that was merely pulled later might be replaced by one that was not."""
    partial = checks({"guestCheckId": 1, "gstCnt": 3, "taxes": [{"taxNum": 2, "taxRate": 9}]})
    newer = full_check(1, 5, gstCnt=2) | ({"lastUpdatedUTC": updated} if updated else {})
    export(warehouse, 1, checks(full_check(1, gstCnt=1)))
    export(warehouse, 2, partial)
    export(warehouse, 7200, checks(newer))
    before = everything(warehouse)
    assert expected == {k: n for k, n in pruned(warehouse).items() if k == "patches"}
    assert State.SUPERSEDED == export(warehouse, 3, partial)
    assert before == everything(warehouse)
    assert State.LOADED == export(warehouse, 7300, checks(newer | {"gstCnt": 4}))
    assert [4] == [row["gst_cnt"] for row in warehouse.rows("guest_checks")]


def test_the_same_tables_with_old_events_after_pruning(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any history, delivered, pruned, and delivered again from the start."""
    monkeypatch.setattr(prune, "API_PREFIX", "raw/")  # histories have keys of their own
    dropped: Counter[str] = Counter()

    @settings(
        max_examples=10,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories(f"p{next(_runs)}", sends_again=False))
        deliver(warehouse, history)
        before = everything(warehouse)
        dropped.update(pruned(warehouse))
        assert before == everything(warehouse)
        deliver(warehouse, history)
        assert before == everything(warehouse)
        assert_truth(warehouse, history)

    holds()
    assert dropped["ledger"]


def deliver(warehouse: Warehouse, history: History) -> None:
    for _, numbers in history.batches:
        found = [history.versions[number].fetched for number in numbers]
        warehouse.load(*(prepare(each, ALIASES, NO_LIMIT).document for each in found))


def test_what_left_the_queue_and_what_people_did_long_ago_is_dropped(warehouse: Warehouse) -> None:
    """What may still be on the queue, and each object's last end, stays however old it is."""
    answer(warehouse, 1, invoice(1, 1))
    with psycopg.connect(**warehouse.settings.conninfo) as connection:
        connection.execute("UPDATE object_events SET ended_at = '2024-06-03Z'")
        connection.execute(
            "INSERT INTO object_events (object_id, state, records, quarantined, attempts, ended_at)"
            " OVERRIDING SYSTEM VALUE SELECT object_id + pruned, 'loaded', 0, 0, 1, '2024-06-04Z'"
            " FROM ingested_objects CROSS JOIN (VALUES (0), (99)) AS x (pruned)"
        )
        connection.execute(
            "INSERT INTO dead_letters (message_id, original_id, error_code, cause, error_message,"
            " error_log_key, attempts, state, left_at, ended_at)"
            " SELECT state || at, '', '', '', '', '', 1, state, at, CASE WHEN late THEN now() END"
            " FROM unnest(ARRAY['waiting', 'replayed', 'gone']) AS state,"
            " unnest(ARRAY['2024-06-01Z'::timestamptz, now()]) AS at,"
            " LATERAL (SELECT state = 'gone' AS late) AS x"
        )
        connection.execute(
            "INSERT INTO operator_actions (kind, actor, program, began_at)"
            " VALUES ('replay', 'a', 'b', '2024-06-01Z'), ('purge', 'a', 'b', now())"
        )
        connection.execute(
            "INSERT INTO operator_action_items (action_id, message_id)"
            " SELECT action_id, 'm' FROM operator_actions"
        )
    expected = {"earlier ends": 2, "dead letters": 1, "action items": 1, "actions": 1}
    assert expected == pruned(warehouse)
    left = warehouse.query("SELECT state, count(*) AS n FROM dead_letters GROUP BY 1 ORDER BY 1")
    assert [("gone", 2), ("replayed", 1), ("waiting", 2)] == [tuple(row.values()) for row in left]
    [kept] = warehouse.query(
        "SELECT kind, message_id FROM operator_actions JOIN operator_action_items USING (action_id)"
    )
    assert ["purge", "m"] == list(kept.values())
