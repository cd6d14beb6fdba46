"""Heartbeats: one row for each consumer process; a dead one ages out, an outage is no trouble."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from consumer.load.database import open_pool
from consumer.metrics import OLDEST_MESSAGE_SECONDS
from consumer.settings import DatabaseSettings
from consumer.supervision.heartbeats import Heartbeat
from tests.support.databases import conninfo
from tests.support.migrated import with_tables
from tests.support.warehouse import database_settings

Look = psycopg.Connection[dict[str, Any]]


@pytest.fixture
def look(database: dict[str, str]) -> Iterator[Look]:
    """Give a session that looks at migrated tables."""
    with_tables(database)
    with psycopg.connect(**conninfo(database), autocommit=True, row_factory=dict_row) as session:
        yield session


def beats(look: Look) -> list[dict[str, Any]]:
    return look.execute("SELECT * FROM consumer_heartbeats ORDER BY started_at").fetchall()


def keep(settings: DatabaseSettings, reasons: list[str | None], seconds: float = 0.01) -> None:
    """Beat until the reasons are used up, then stop in order."""

    async def story() -> None:
        used_up = asyncio.Event()

        def breaker() -> str | None:
            if len(reasons) == 1:
                used_up.set()
            return reasons.pop(0) if reasons else None

        async with open_pool(settings, 1) as pool:
            task = asyncio.create_task(Heartbeat(pool, breaker, seconds).keep(), name="heartbeat")
            await used_up.wait()
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    asyncio.run(story())


def test_a_process_has_one_row_that_says_what_it_does_and_that_it_stopped(
    database: dict[str, str], look: Look
) -> None:
    look.execute(
        "INSERT INTO consumer_heartbeats SELECT name, 'host', 1, '1', now(),"
        " now() - silent::interval, 15, NULL, 0, NULL, NULL"
        " FROM (VALUES ('dead', '25 hours'), ('silent', '23 hours')) AS x (name, silent)"
    )
    OLDEST_MESSAGE_SECONDS.set_function(lambda: 60.0)
    keep(database_settings(database), [None, "the database is down", "still"])
    silent, ours = beats(look)
    assert "silent" == silent["consumer_id"], "what was silent for a day is forgotten"
    assert (0.01, 0) == (ours["beat_seconds"], ours["in_flight"])
    assert ours["beat_at"] > ours["started_at"]
    assert ours["stopped_at"] == ours["beat_at"]
    assert timedelta(minutes=1) == ours["beat_at"] - ours["oldest_sent_at"]


def test_a_breaker_that_is_open_is_told(database: dict[str, str], look: Look) -> None:
    async def story() -> None:
        async with open_pool(database_settings(database), 1) as pool:
            await Heartbeat(pool, lambda: "x" * 9999, 15).beat()

    asyncio.run(story())
    [ours] = beats(look)
    assert (None, "x" * 500) == (ours["stopped_at"], ours["breaker"])


def test_a_database_that_is_down_does_not_disturb_the_work(database: dict[str, str]) -> None:
    nowhere = database | {"DB_PORT": "1", "DB_HOST": "127.0.0.1", "DB_CONNECT_TIMEOUT_SECONDS": "1"}
    keep(database_settings(nowhere), ["one beat"])


def test_without_an_interval_there_is_no_row(database: dict[str, str], look: Look) -> None:
    async def story() -> None:
        async with open_pool(database_settings(database), 1) as pool:
            await Heartbeat(pool, lambda: None, 0).keep()

    asyncio.run(story())
    assert [] == beats(look)
