"""A database that vanishes without a word: no answer, and nobody hangs up."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest

from consumer.errors import DatabaseUnavailable
from consumer.load.batcher import postgres_load
from consumer.load.database import open_pool
from consumer.load.migrations.migrate import migrate
from consumer.load.sessions import Session
from consumer.settings import DatabaseSettings
from tests.conftest import Lake
from tests.support.consuming import loaded, put_checks
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, until
from tests.support.proxies import Proxy, proxy_to_unix_socket
from tests.support.samples import checks, full_check, staged
from tests.support.warehouse import database_settings, requests

IMPATIENT_SECONDS = 0.3
GIVEN_UP_SECONDS = 10
RESUMED_SECONDS = 60


@pytest.fixture
def settings(database: dict[str, str]) -> DatabaseSettings:
    return database_settings(database)


@pytest.fixture
def way(settings: DatabaseSettings) -> Iterator[Proxy]:
    with proxy_to_unix_socket(f"{settings.db_host}/.s.PGSQL.{settings.db_port}") as opened:
        yield opened


@pytest.fixture
def through(settings: DatabaseSettings, way: Proxy, monkeypatch: pytest.MonkeyPatch):
    """Settings that lead through the proxy, and sessions that doubt early."""
    migrate(settings)
    monkeypatch.setattr(Session, "silence_seconds", IMPATIENT_SECONDS)
    return settings.model_copy(update={"db_host": "127.0.0.1", "db_port": way.port})


async def test_a_batch_on_a_silent_session_fails_and_the_next_one_loads(
    through: DatabaseSettings, way: Proxy
) -> None:
    """Also where the next session of the pool is a silent one as well."""
    document = staged(checks(full_check(1)))
    async with open_pool(through, 2) as pool:
        async with pool.connection(), pool.connection() as session:
            assert way.silence() == 2
            async with asyncio.timeout(GIVEN_UP_SECONDS):
                with pytest.raises(psycopg.OperationalError):
                    await session.execute("SELECT 1")
        async with asyncio.timeout(GIVEN_UP_SECONDS):
            await postgres_load(pool)(requests(document))


async def test_a_copy_that_nobody_reads_is_given_up(through: DatabaseSettings, way: Proxy) -> None:
    """The server waits for us, as we for it: it says that it is active, but not at work."""

    async def copy_into_silence(session: psycopg.AsyncConnection) -> None:
        async with session.cursor().copy("COPY stage_sold FROM STDIN") as copy:
            way.silence()
            await copy.write(b"1\t1\t\\N\t\\N\n")

    async with open_pool(through, 1) as pool, pool.connection() as session:
        async with asyncio.timeout(GIVEN_UP_SECONDS):
            with pytest.raises(psycopg.OperationalError):
                await copy_into_silence(session)


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(2)", "SELECT count(*) FROM guest_checks"])
async def test_a_server_that_works_or_waits_for_a_lock_is_left_alone(
    through: DatabaseSettings, settings: DatabaseSettings, statement: str
) -> None:
    async with (
        open_pool(through, 1) as pool,
        pool.connection() as session,
        await psycopg.AsyncConnection.connect(**settings.conninfo) as other,
    ):
        await other.execute("LOCK TABLE guest_checks")
        asked = asyncio.create_task(session.execute(statement.encode()))
        await asyncio.sleep(5 * IMPATIENT_SECONDS)  # the wait itself
        await other.rollback()
        async with asyncio.timeout(GIVEN_UP_SECONDS):
            assert await (await asked).fetchone() is not None


async def test_a_database_that_is_silent_to_everybody_is_unavailable(
    through: DatabaseSettings, way: Proxy
) -> None:
    async with open_pool(through, 1) as pool:
        async with pool.connection() as session:
            way.silence(new_ones_too=True)
            async with asyncio.timeout(GIVEN_UP_SECONDS):
                with pytest.raises(psycopg.OperationalError):
                    await session.execute("SELECT 1")
        with pytest.raises(DatabaseUnavailable):
            await postgres_load(pool)(requests(staged(checks(full_check(1)))))


def test_loading_goes_on_within_a_minute(environment: dict[str, str], lake: Lake) -> None:
    """All sessions of a running consumer go silent; new ones work, as after a failover."""
    with_tables(environment)
    with proxy_to_unix_socket(f"{environment['DB_HOST']}/.s.PGSQL.{environment['DB_PORT']}") as way:
        own = {"DB_HOST": "127.0.0.1", "DB_PORT": str(way.port), "RECEIVE_WAIT_SECONDS": "1"}
        with subprocess.Popen(
            [sys.executable, "-m", "consumer", "run"],
            env={**environment, **own},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                put_checks(lake, range(3))
                until(lambda: loaded(environment) == 3, "the first objects are loaded")
                way.silence()
                began = time.monotonic()
                put_checks(lake, range(3, 20))
                until(lambda: loaded(environment) == 20, "everything is loaded")
                assert time.monotonic() - began < RESUMED_SECONDS
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=DEADLINE_SECONDS)
            finally:
                process.kill()
    assert process.returncode == 0, errors
    assert "session_silent" in errors
