"""What came apart upstream, as `schema_drift` tells it, on a real database."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from consumer.batches import StagedDocument
from consumer.postgres import open_pool
from consumer.preparation import Knowledge, prepare
from consumer.usual import UsualFields, share
from schemas.aliases import load_aliases
from schemas.drift import MISSING, RENAMED, UNKNOWN
from schemas.shapes import Presence
from schemas.sources import Source
from tests.samples import NO_LIMIT, checks, day_list, fetched, full_check
from tests.warehouse import Warehouse, database_settings, open_warehouse

KEYS = ("source", "path", "kind")


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    """Give an empty migrated database."""
    with open_warehouse(database, sessions=1) as opened:
        yield opened


class Process:
    """What one consumer process knows, and how it prepares documents."""

    def __init__(self, database: dict[str, str]) -> None:
        self.settings = database_settings(database)
        self.usual = UsualFields()

    def staged(self, document: Any, source: Source = Source.ERP, **where: Any) -> StagedDocument:
        """Prepare a document and learn from it, as if it had been loaded."""
        knowledge = Knowledge(load_aliases(), self.usual)
        prepared = prepare(fetched(document, source, **where), knowledge, NO_LIMIT)
        self.usual.learn(source, prepared.presences)
        return prepared.document

    def share(self) -> None:
        """Exchange what is usual with the other processes."""

        async def once() -> None:
            async with open_pool(self.settings, 1) as pool:
                await share(self.usual, pool)

        run(once())


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner() as runner:
        runner.run(story)


def drift(warehouse: Warehouse) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return the rows of `schema_drift` by their key, times as seconds after noon."""
    rows = warehouse.query(
        "SELECT *, extract(epoch FROM first_seen - '2024-06-01T12:00Z')::int AS first,"
        " extract(epoch FROM last_seen - '2024-06-01T12:00Z')::int AS last FROM schema_drift"
    )
    return {(row["source"], row["path"], row["kind"]): row for row in rows}


def test_a_finding_is_one_row_that_knows_its_first_and_last_object(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    process = Process(database)
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


def test_events_that_come_late_move_only_the_first_object(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    process = Process(database)
    for number in (50, 10):
        document = checks(full_check(number, mood="good"))
        warehouse.load(process.staged(document, number=number, key=f"raw/erp/{number}.json"))
    [row] = drift(warehouse).values()
    assert (row["first_object_key"], row["last_object_key"]) == (
        "raw/erp/10.json",
        "raw/erp/50.json",
    )


def test_the_documents_of_one_batch_are_counted_together(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    process = Process(database)
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


def test_a_rename_is_told_by_a_process_that_learned_from_another(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    """A deploy starts with an empty memory: what is usual is read from the table."""
    old = Process(database)
    usual = [full_check(n, subTtl=n, chkNum=n) for n in range(30)]
    warehouse.load(old.staged(checks(*usual), number=1))
    old.share()
    assert drift(warehouse) == {}

    new = Process(database)
    new.share()
    renamed = checks(full_check(99, subTotal=5, chkNum=1))
    warehouse.load(new.staged(renamed, number=2, key="raw/erp/renamed.json"))
    found = drift(warehouse)
    assert found.keys() == {
        ("erp", "guestChecks.subTtl", MISSING),
        ("erp", "guestChecks.subTotal", UNKNOWN),
        ("erp", "guestChecks.subTotal", RENAMED),
    }
    row = found["erp", "guestChecks.subTotal", RENAMED]
    assert row["detail"] == (
        'add to the alias file: [getGuestChecks] "guestChecks.subTtl" = ["subTotal"]'
    )
    # Unknown fields are kept, whatever they turn out to be.
    [check] = warehouse.query("SELECT extra FROM guest_checks WHERE guest_check_id = 99")
    assert check["extra"] == {"subTotal": 5}


def test_what_several_processes_learned_adds_up(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    one, other = Process(database), Process(database)
    for process, filled in ((one, 12), (other, 10)):
        process.usual.learn(Source.ERP, [Presence("guestChecks.subTtl", filled, filled)])
        process.share()
    assert other.usual.always_filled(Source.ERP, "guestChecks.subTtl")
    assert not one.usual.always_filled(Source.ERP, "guestChecks.subTtl")
    one.share()
    assert one.usual.always_filled(Source.ERP, "guestChecks.subTtl")
    stored = warehouse.query("SELECT source, path, filled, records FROM schema_fields")
    assert stored == [{"source": "erp", "path": "guestChecks.subTtl", "filled": 22, "records": 22}]


def test_a_document_loaded_twice_counts_twice_and_says_nothing_new(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    process = Process(database)
    for _ in range(2):
        warehouse.load(process.staged(checks(full_check(1, mood=1)), number=7))
    [row] = drift(warehouse).values()
    assert (row["first"], row["last"], row["occurrences"]) == (7, 7, 2)


def test_a_document_that_is_outdated_still_tells_its_drift(
    warehouse: Warehouse, database: dict[str, str]
) -> None:
    """Its rows are not applied, but what it looked like is a fact."""
    process = Process(database)
    warehouse.load(process.staged(checks(full_check(1, version=5)), number=5))
    warehouse.load(process.staged(checks(full_check(1, version=1, mood=1)), number=6))
    assert drift(warehouse).keys() == {("erp", "guestChecks.mood", UNKNOWN)}
