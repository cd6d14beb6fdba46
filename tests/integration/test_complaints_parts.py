"""Complaints about parts of other systems: how they read bodies, and how they lock rows."""

import asyncio
from collections.abc import Sequence

import pytest
from aiohttp import web
from psycopg import AsyncConnection
from structlog.testing import capture_logs

from consumer.aws.s3 import Outdated, ReadLimits, open_lake
from consumer.load.batcher import postgres_load
from consumer.load.database import open_pool
from consumer.load.document import StagedDocument
from consumer.load.migrations.migrate import migrate
from consumer.load.transaction import load_batch
from consumer.settings import DatabaseSettings, LakeSettings
from schemas.codes import State
from schemas.envelopes import ObjectEvent
from tests.support.fronts import front_of
from tests.support.programs import DEADLINE_SECONDS
from tests.support.samples import checks, full_check, staged
from tests.support.warehouse import database_settings, requests

LIMITS = ReadLimits(2**30, 2**24, 2**24)
TIME = {"Last-Modified": "Mon, 01 Jan 2024 06:00:00 GMT"}
LOCK = "SELECT 1 FROM guest_checks WHERE guest_check_id = %s FOR UPDATE"
WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def test_a_body_that_is_not_read_keeps_no_connection(environment: dict[str, str]) -> None:
    """What lies there is not what was announced, and it is large: nobody reads on."""
    body = b"x" * 2**22

    def answer(request: web.Request, _: bytes) -> web.Response | None:
        is_read = request.method == "GET"
        return web.Response(body=body, headers={"ETag": '"new"', **TIME}) if is_read else None

    with front_of(environment["AWS_ENDPOINT_URL"], answer) as front:
        settings = LakeSettings.model_validate(
            {name.lower(): value for name, value in environment.items()}
            | {"aws_endpoint_url": front.url, "AWS_REGION": "us-east-1"}
        )
        async with open_lake(settings, connections=2) as lake, asyncio.timeout(30):
            for number in range(6):
                event = ObjectEvent(
                    settings.bucket_name, f"raw/erp/{number}.json", "ObjectCreated:Put", etag="old"
                )
                with pytest.raises(Outdated):
                    await lake.fetch(event, LIMITS)
            await lake.ping()


async def test_two_consumers_that_load_the_same_checks_in_opposite_order_do_not_deadlock(
    database: dict[str, str],
) -> None:
    """Both wait for a check in the middle: had they locked from both ends, neither could go on."""
    settings = database_settings(database)
    migrate(settings)
    ids = list(range(1, 10))
    async with (
        open_pool(settings, 2) as pool,
        await AsyncConnection.connect(**settings.conninfo) as other,
    ):
        await postgres_load(pool)(requests(written(ids, 0)))
        await other.execute(LOCK, [ids[4]])
        async with pool.connection() as one, pool.connection() as two:
            # Not through the loader, which would try again.
            loads = [
                load_batch(one, requests(written(ids, 1))),
                load_batch(two, requests(written(ids[::-1], 2))),
            ]
            loading = asyncio.gather(*loads)
            await waiting_sessions(settings, 2)
            await other.commit()
            _, newest = await loading
    assert [State.LOADED] == list(newest.values())


def written(ids: Sequence[int], version: int) -> StagedDocument:
    """Write a version of some checks."""
    document = checks(*(full_check(number, version) for number in ids))
    return staged(document, key=f"raw/erp/{version}.json", number=version)


async def test_a_load_that_deadlocks_with_somebody_else_is_tried_again(
    database: dict[str, str],
) -> None:
    """The race: another program holds the second check and wants the first one."""
    settings = database_settings(database)
    migrate(settings)
    async with (
        open_pool(settings, 1) as pool,
        await AsyncConnection.connect(**settings.conninfo) as other,
    ):
        load = postgres_load(pool)
        await load(requests(written([1, 2], 0)))
        # Whoever looks first ends the deadlock by giving up: that is to be the loader.
        await other.execute("SET deadlock_timeout = '1min'")
        await other.execute(LOCK, [2])
        with capture_logs() as logs:
            loading = asyncio.create_task(load(requests(written([1, 2], 1))))
            await waiting_sessions(settings, 1)
            await other.execute(LOCK, [1])
            await other.commit()
            states = await loading
    assert [State.LOADED] == list(states.values())
    assert "batch_conflict" in [entry["event"] for entry in logs]


async def waiting_sessions(settings: DatabaseSettings, number: int) -> None:
    """Wait until so many sessions of the database wait for a lock."""
    async with (
        asyncio.timeout(DEADLINE_SECONDS),
        await AsyncConnection.connect(**settings.conninfo, autocommit=True) as connection,
    ):
        while True:
            cursor = await connection.execute(WAITING)
            if len(await cursor.fetchall()) == number:
                return
            await asyncio.sleep(0.01)
