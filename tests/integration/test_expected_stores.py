"""The roster: which stores are expected, since when, and until when."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

from consumer.load.database import open_pool
from consumer.settings import ConsumerSettings
from consumer.supervision.expected_stores import announce_roster
from schemas.registry import ENDPOINTS
from tests.support.loading import load_day
from tests.support.samples import DAY, STORE
from tests.support.warehouse import Warehouse, database_settings

SOURCE = "getTransactions"


def announce(warehouse: Warehouse, *stores: str) -> None:
    async def story() -> None:
        async with open_pool(warehouse.settings, 1) as pool:
            await announce_roster(pool, stores)

    warehouse.runner.run(story())


def roster(warehouse: Warehouse, source: str = SOURCE) -> Sequence[tuple[str, date, date | None]]:
    rows = warehouse.query("SELECT * FROM expected_stores ORDER BY store_id, valid_from")
    return [
        (row["store_id"], row["valid_from"], row["valid_to"])
        for row in rows
        if row["source"] == source
    ]


def today(warehouse: Warehouse) -> date:
    [row] = warehouse.query("SELECT current_date AS today")
    found: date = row["today"]
    return found


def test_a_store_is_expected_since_its_first_answer_until_it_leaves(warehouse: Warehouse) -> None:
    load_day(warehouse, {"transactionId": 1})
    now = today(warehouse)
    for _ in range(2):
        announce(warehouse, STORE, "new", "new")
    assert [(STORE, DAY, None), ("new", now, None)] == roster(warehouse)
    assert [(STORE, now, None), ("new", now, None)] == roster(warehouse, "getChargeBack")
    [count] = warehouse.query("SELECT count(*) AS rows FROM expected_stores")
    assert 2 * len(ENDPOINTS) == count["rows"]

    announce(warehouse, "new")
    assert [(STORE, DAY, now - timedelta(days=1)), ("new", now, None)] == roster(warehouse)
    announce(warehouse, STORE)
    assert [
        (STORE, DAY, now - timedelta(days=1)),
        (STORE, now, None),
        ("new", now, now),
    ] == roster(warehouse)
    announce(warehouse, STORE, "new")
    assert [(STORE, DAY, now - timedelta(days=1)), (STORE, now, None), ("new", now, None)] == (
        roster(warehouse)
    )


def test_without_a_setting_nothing_changes(warehouse: Warehouse) -> None:
    announce(warehouse, "a")
    announce(warehouse)
    assert ["a"] == [store for store, *_ in roster(warehouse)]


def test_a_roster_waits_for_the_database_in_the_background(database: dict[str, str]) -> None:
    settings = database_settings(
        database | {"DB_HOST": "127.0.0.1", "DB_PORT": "1", "DB_CONNECT_TIMEOUT_SECONDS": "1"}
    )

    async def story() -> None:
        async with open_pool(settings, 1) as pool:
            task = asyncio.create_task(announce_roster(pool, ["a"]), name="roster")
            done, _ = await asyncio.wait([task], timeout=2)
            assert set() == done
            task.cancel()

    asyncio.run(story())


def test_the_setting_is_read_as_the_producers() -> None:
    settings = ConsumerSettings.model_validate(
        {
            "bucket_name": "lake",
            "queue_url": "q",
            "dlq_url": "d",
            "expected_stores": " 99 CB CB, 001,",
        }
    )
    assert ("99 CB CB", "001") == settings.expected_stores
