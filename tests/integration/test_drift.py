"""What came apart upstream, as `schema_drift` tells it, on a real database."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.cli import cli
from consumer.drift.findings import MISSING, RENAMED, UNKNOWN
from consumer.load.database import open_pool
from consumer.load.field_counts import share
from schemas.registry import Source
from tests.support.drifting import Process
from tests.support.samples import checks, day_list, full_check, without
from tests.support.warehouse import Warehouse, database_settings, open_warehouse


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    """Give an empty migrated database."""
    with open_warehouse(database, sessions=1) as opened:
        yield opened


def drift(warehouse: Warehouse) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return the rows of `schema_drift` by their key, times as seconds after noon."""
    rows = warehouse.query(
        "SELECT *, extract(epoch FROM first_seen - '2024-06-01T12:00Z')::int AS first,"
        " extract(epoch FROM last_seen - '2024-06-01T12:00Z')::int AS last FROM schema_drift"
    )
    return {(row["source"], row["path"], row["kind"]): row for row in rows}


def reported(database: dict[str, str], *options: str) -> str:
    """Return what `consumer drift` prints."""
    result = CliRunner().invoke(cli, ["drift", *options], env=database)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_finding_is_one_row_that_knows_its_first_and_last_object(warehouse: Warehouse) -> None:
    process = Process(warehouse)
    for number, moods in ((20, 1), (40, 3), (30, 2)):
        records = [full_check(100 * number + n, mood="good") for n in range(moods)]
        document = process.staged(checks(*records), number=number, key=f"raw/erp/{number}.json")
        warehouse.load(document)
    found = drift(warehouse)
    [(key, row)] = found.items()
    assert key == ("erp", "guestChecks.mood", UNKNOWN)
    assert (row["first"], row["last"]) == (20, 40)
    assert (row["first_object_key"], row["last_object_key"]) == (
        "raw/erp/20.json",
        "raw/erp/40.json",
    )
    assert (row["occurrences"], row["objects"]) == (6, 3)


def test_events_that_come_late_move_only_the_first_object(warehouse: Warehouse) -> None:
    process = Process(warehouse)
    for number in (50, 10):
        document = checks(full_check(number, mood="good"))
        warehouse.load(process.staged(document, number=number, key=f"raw/erp/{number}.json"))
    [row] = drift(warehouse).values()
    assert (row["first_object_key"], row["last_object_key"]) == (
        "raw/erp/10.json",
        "raw/erp/50.json",
    )


def test_the_documents_of_one_batch_are_counted_together(warehouse: Warehouse) -> None:
    process = Process(warehouse)
    documents = [
        process.staged(
            checks(full_check(number, mood="good")), number=number, key=f"raw/erp/{number}.json"
        )
        for number in (3, 1, 2)
    ]
    rows = day_list(Source.CHARGE_BACK, {"chargeId": 1, "mood": "bad"})
    warehouse.load(*documents, process.staged(rows, Source.CHARGE_BACK))
    found = drift(warehouse)
    assert found.keys() == {
        ("erp", "guestChecks.mood", UNKNOWN),
        ("getChargeBack", "chargeBacks.mood", UNKNOWN),
    }
    row = found["erp", "guestChecks.mood", UNKNOWN]
    assert (row["occurrences"], row["objects"]) == (3, 3)
    assert (row["first_object_key"], row["last_object_key"]) == ("raw/erp/1.json", "raw/erp/3.json")


def test_a_document_loaded_twice_counts_twice_and_says_nothing_new(warehouse: Warehouse) -> None:
    process = Process(warehouse)
    for _ in range(2):
        warehouse.load(process.staged(checks(full_check(1, mood=1)), number=7))
    [row] = drift(warehouse).values()
    assert (row["first"], row["last"], row["occurrences"]) == (7, 7, 2)


def test_a_document_that_is_outdated_still_tells_its_drift(warehouse: Warehouse) -> None:
    """Its rows are not applied, but what it looked like is a fact."""
    process = Process(warehouse)
    warehouse.load(process.staged(checks(full_check(1, version=5)), number=5))
    warehouse.load(process.staged(checks(full_check(1, version=1, mood=1)), number=6))
    assert drift(warehouse).keys() == {("erp", "guestChecks.mood", UNKNOWN)}


def test_the_report_names_what_can_be_acted_on_first(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    """As `consumer drift` prints it, for people and for programs; two exports, one renamed."""
    old, new = Process(warehouse), Process(warehouse)
    usual = checks(*(full_check(n, subTtl=n) for n in range(30)))
    warehouse.load(old.staged(usual, number=1))
    old.share()
    assert reported(database).strip() == "no drift"

    renamed = checks(full_check(99, subTotal=5))
    warehouse.load(new.staged(renamed, number=2, key="raw/erp/renamed.json"))
    new.share()
    rows = json.loads(reported(database, "--json"))
    assert [(row["kind"], row["path"]) for row in rows] == [
        (RENAMED, "guestChecks.subTotal"),
        (MISSING, "guestChecks.subTtl"),
        (UNKNOWN, "guestChecks.subTotal"),
    ]
    remedy = 'add to the alias file: [getGuestChecks] "guestChecks.subTtl" = ["subTotal"]'
    assert rows[0]["detail"] == remedy
    assert {row["first_object_key"] for row in rows} == {"raw/erp/renamed.json"}
    # Unknown fields are kept, whatever they turn out to be.
    [check] = warehouse.query("SELECT extra FROM guest_checks WHERE guest_check_id = 99")
    assert check["extra"] == {"subTotal": 5}


def test_what_processes_share_at_once_adds_up_to_one_report(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    """However their transactions meet, no count is lost and the report is whole."""
    processes = [Process(warehouse) for _ in range(6)]
    for number, process in enumerate(processes):
        answer = checks(*(full_check(100 * number + n, subTtl=1) for n in range(5)))
        if number == 5:
            answer |= {"guestChecks": [without(row, "subTtl") for row in answer["guestChecks"]]}
        day = date(2024, 1, 1) + timedelta(weeks=number)
        process.staged(answer, Source.GUEST_CHECKS, day=day)

    async def share_all() -> None:
        async with open_pool(database_settings(database), 6) as pool:
            await asyncio.gather(*(share(process.usual, pool) for process in processes))

    with asyncio.Runner() as runner:
        runner.run(share_all())
    assert drift(warehouse).keys() == {("getGuestChecks", "guestChecks.subTtl", MISSING)}
    [counted] = warehouse.query(
        "SELECT sum(records) AS records, sum(objects) AS objects FROM schema_fields"
        " WHERE path = 'guestChecks.subTtl'"
    )
    assert counted == {"records": 30, "objects": 6}
