"""After a fix, replay loads what was set aside, and nothing else changes."""

import json
from dataclasses import replace
from typing import Any

from consumer.ingest.assembly import Prepared
from consumer.load.document import LoadRequest
from schemas.aliases import load_aliases
from schemas.codes import State
from schemas.registry import Source
from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import query, run
from tests.support.samples import STORE, checks, day_list, full_check, prepared
from tests.support.warehouse import Warehouse

TABLES = ("guest_checks", "taxes", "detail_lines", "menu_items", "transactions")


def check(check_id: int, item: int = 1, **fields: Any) -> dict[str, Any]:
    """Write a check with a tax and a line."""
    line = {"guestCheckLineItemId": check_id * 10, "menuItem": {"miNum": item}}
    return full_check(check_id, taxes=[{"taxNum": 28}], detailLines=[line], **fields)


def load(warehouse: Warehouse, found: Prepared) -> State:
    """Load a document as the service does: the ledger tells of what was set aside."""
    request = LoadRequest(found.document)
    if found.quarantined:
        request = replace(request, error_message="set aside", error_log_key="logs/errors/1.json")
    return warehouse.load(request)[found.document.number]


def ledger(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    rows = warehouse.query(
        "SELECT state, error_code, error_log_key, records, quarantined FROM ingested_objects"
        " ORDER BY object_id"
    )
    return [tuple(row.values()) for row in rows]


def assert_only_added(before: dict[str, Any], after: dict[str, Any], **added: int) -> None:
    """What was there is where it was, written by whom it was, and so many rows came."""
    for table in TABLES:
        assert [row for row in before[table] if row not in after[table]] == [], table
        assert added.get(table, 0) == len(after[table]) - len(before[table]), table


def test_with_an_alias_the_same_object_loads_the_rest_and_only_the_rest(
    warehouse: Warehouse,
) -> None:
    renamed = check(3, item=7)
    renamed["checkId"] = renamed.pop("guestCheckId")
    document = checks(check(1), renamed, check(2))
    assert State.DEAD_LETTERED == load(warehouse, prepared(document))
    assert [("dead_lettered", "records_invalid", "logs/errors/1.json", 2, 1)] == ledger(warehouse)
    before, said = warehouse.versions([STORE]), warehouse.rows("guest_checks")

    aliases = load_aliases('[getGuestChecks]\n"guestChecks.guestCheckId" = ["checkId"]')
    assert State.LOADED == load(warehouse, prepared(document, aliases=aliases))
    assert [("loaded", None, None, 3, 0)] == ledger(warehouse)
    after = warehouse.versions([STORE])
    # Headers are digested anew: other renames may read the same bytes in another way.
    assert said == warehouse.rows("guest_checks")[:2]
    before["guest_checks"] = after["guest_checks"][:2]
    assert_only_added(before, after, guest_checks=1, taxes=1, detail_lines=1, menu_items=1)
    assert [1, 2, 3] == [row["guest_check_id"] for row in warehouse.rows("guest_checks")]


def test_a_corrected_object_loads_the_rest_and_good_children_are_not_rewritten(
    warehouse: Warehouse,
) -> None:
    """Headers of the good checks only learn which object said so last."""
    wrong, right = check(2, subTtl="eighty"), check(2, subTtl=80)
    load(warehouse, prepared(checks(check(1), wrong)))
    before, said = warehouse.versions([STORE]), warehouse.rows("guest_checks")
    assert State.LOADED == load(warehouse, prepared(checks(check(1), right), number=1))
    after = warehouse.versions([STORE])
    before["guest_checks"] = after["guest_checks"][:1]
    assert_only_added(before, after, guest_checks=1, taxes=1, detail_lines=1)
    assert said == warehouse.rows("guest_checks")[:1]
    assert [None, 80] == [row.get("sub_ttl") for row in warehouse.rows("guest_checks")]


def test_a_corrected_answer_of_a_day_loads_the_bad_row_and_leaves_the_others_alone(
    warehouse: Warehouse,
) -> None:
    source = Source.TRANSACTIONS
    good = [{"transactionId": number, "amount": number} for number in (1, 3)]
    wrong, right = ({"transactionId": 2, "amount": amount} for amount in ("much", 2))
    state = load(warehouse, prepared(day_list(source, *good, wrong), source))
    assert State.DEAD_LETTERED == state
    before = warehouse.versions([STORE])
    assert State.LOADED == load(
        warehouse, prepared(day_list(source, *good, right), source, number=1)
    )
    assert_only_added(before, warehouse.versions([STORE]), transactions=1)
    assert [1, 2, 3] == [row["amount"] for row in warehouse.rows("transactions")]


def test_a_check_that_was_set_aside_keeps_its_stored_version_until_it_is_fixed(
    warehouse: Warehouse,
) -> None:
    load(warehouse, prepared(checks(check(1, gstCnt=1))))
    newer = full_check(1, 5, gstCnt=[])
    assert State.DEAD_LETTERED == load(warehouse, prepared(checks(newer, check(2)), number=1))
    [stored, _] = warehouse.rows("guest_checks")
    assert 1 == stored["gst_cnt"]
    assert [10, 20] == [row["guest_check_line_item_id"] for row in warehouse.rows("detail_lines")]
    fixed = full_check(1, 5, gstCnt=2)
    assert State.LOADED == load(warehouse, prepared(checks(fixed, check(2)), number=2))
    assert 2 == warehouse.rows("guest_checks")[0]["gst_cnt"]
    assert [20] == [row["guest_check_line_item_id"] for row in warehouse.rows("detail_lines")]


def test_a_consumer_refuses_tables_of_a_newer_release_and_takes_nothing_from_the_queue(
    environment: dict[str, str], lake: Lake
) -> None:
    with_tables(environment)
    query(
        environment,
        "UPDATE alembic_version SET version_num = '9999', oldest_schema = '9999' RETURNING version_num",
    )
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=json.dumps({"Records": []}))
    result = run("consumer", "run", "--until-idle", "1", environment=environment)
    assert result.returncode == 1
    assert "schema 9999" in result.stderr.replace("\n", " ")
    answer = lake.sqs.receive_message(
        QueueUrl=lake.queue_url, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )
    [message] = answer["Messages"]
    assert "1" == message["Attributes"]["ApproximateReceiveCount"]
