"""Sessions rely on nothing that a server, a database, a role or the environment may say."""

import json
import secrets
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql

from consumer.load.database import open_pool, open_session
from consumer.load.migrations.migrate import migrate
from consumer.load.migrations.schema import stored_schema
from consumer.load.sessions import connect
from consumer.operate.doctor.database import DatabaseFacts, probe_database
from consumer.settings import DatabaseSettings
from runtime.errors import SettingsInvalid
from schemas.registry import Source
from tests.support.programs import run, succeed
from tests.support.proxies import proxy_to_unix_socket
from tests.support.samples import checks, day_list, full_check, staged
from tests.support.warehouse import database_settings, open_warehouse

STORE = "São João"
HOSTILE = {
    "client_encoding": "LATIN1",
    "DateStyle": "German, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "Asia/Kathmandu",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "default_transaction_isolation": "serializable",
    "standard_conforming_strings": "off",
    "search_path": "nowhere",
}
STATED = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    "search_path": "public",
}
ENVIRONMENT = {"PGCLIENTENCODING": "WIN1252", "PGDATESTYLE": "SQL, DMY", "PGTZ": "Asia/Kathmandu"}
# What PgBouncer takes at the beginning of a connection, unless it is told to ignore more.
TAKEN_BY_POOLERS = {
    "user", "database", "client_encoding", "datestyle", "timezone", "standard_conforming_strings",
    "application_name", "intervalstyle",
}  # fmt: skip


@pytest.fixture
def settings(database: dict[str, str]) -> DatabaseSettings:
    return database_settings(database)


@pytest.fixture(params=["DATABASE", "ROLE"])
def hostile(
    settings: DatabaseSettings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DatabaseSettings]:
    """A database, or a role in it, with defaults that nobody expects; the environment agrees."""
    name = sql.Identifier(settings.db_name)
    whose = sql.SQL("DATABASE {}").format(name)
    if request.param == "ROLE":
        whose = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(settings.db_user), name)
    with psycopg.connect(**settings.conninfo, autocommit=True) as connection:
        for parameter, value in HOSTILE.items():
            change = sql.SQL("ALTER {} SET {} = {}")
            connection.execute(change.format(whose, sql.SQL(parameter), _value(parameter, value)))
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    yield settings
    for variable in ENVIRONMENT:
        monkeypatch.delenv(variable)


def _value(parameter: str, value: str) -> sql.Composable:
    # Lists are written as lists.
    return sql.SQL(value) if parameter in ("DateStyle", "search_path") else sql.Literal(value)


def stored_stores(settings: DatabaseSettings, table: str) -> set[str]:
    """Read the stores of a table as bytes, which no encoding of a session touches."""
    with psycopg.connect(**settings.conninfo) as connection:
        rows = connection.execute(
            f"SELECT DISTINCT encode(convert_to(store_id, 'UTF8'), 'hex') FROM public.{table}".encode()
        ).fetchall()
    return {bytes.fromhex(_text(row[0])).decode() for row in rows}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_names_are_stored_as_sent_whatever_the_defaults_are(
    hostile: DatabaseSettings, database: dict[str, str]
) -> None:
    with open_warehouse(database) as warehouse:
        source = Source.TRANSACTIONS
        warehouse.load(
            staged(checks(full_check(1), store=STORE), number=1),
            staged(
                day_list(source, {"transactionId": "ç"}, store=STORE), source, store=STORE, number=2
            ),
        )
    for table in ("guest_checks", "transactions", "ingested_objects"):
        assert {STORE} == stored_stores(hostile, table), table


async def test_every_kind_of_session_states_what_it_relies_on(hostile: DatabaseSettings) -> None:
    migrate(hostile)
    async with open_pool(hostile, 1) as pool, pool.connection() as session:
        await session.rollback()
        assert STATED == {name: await _shown(session, name) for name in STATED}
    async with open_session(hostile) as session:
        assert STATED == {name: await _shown(session, name) for name in STATED}
    with connect(hostile) as blocking:
        blocking.rollback()
        shown = {name: blocking.execute(f"SHOW {name}".encode()).fetchone() for name in STATED}
    assert {name: (value,) for name, value in STATED.items()} == shown


async def _shown(session: psycopg.AsyncConnection[Any], name: str) -> str:
    cursor = await session.execute(f"SHOW {name}".encode())
    row = await cursor.fetchone()
    assert row is not None
    return str(row[0])


def test_commands_read_times_and_names_whatever_the_defaults_are(
    hostile: DatabaseSettings, environment: dict[str, str]
) -> None:
    assert hostile.db_name == environment["DB_NAME"]
    environment = environment | ENVIRONMENT
    succeed("consumer", "migrate", environment=environment)
    with open_warehouse(environment) as warehouse:
        warehouse.load(staged(checks(full_check(1, mood="ç"), store=STORE)))
    status = json.loads(succeed("consumer", "status", "--json", environment=environment))
    assert "loaded" in json.dumps(status)
    drift = json.loads(succeed("consumer", "drift", "--json", environment=environment))
    assert "guestChecks.mood" in json.dumps(drift)
    doctor = run("consumer", "doctor", environment=environment)
    assert "Traceback" not in doctor.stderr


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def narrow(database: dict[str, str], request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """A database whose encoding cannot hold every name."""
    name = f"narrow_{secrets.token_hex(6)}"
    with psycopg.connect(**database_settings(database).conninfo, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} ENCODING {} TEMPLATE template0 LOCALE 'C'")
        connection.execute(create.format(sql.Identifier(name), sql.Literal(request.param)))
        yield {**database, "DB_NAME": name}
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(name)))


async def test_a_database_that_cannot_hold_every_name_is_refused(narrow: dict[str, str]) -> None:
    settings = database_settings(narrow)
    with pytest.raises(SettingsInvalid, match="ENCODING 'UTF8' TEMPLATE template0"):
        migrate(settings)
    facts = await probe_database(settings)
    assert isinstance(facts, DatabaseFacts)
    assert facts.encoding in ("SQL_ASCII", "LATIN1")


@pytest.mark.parametrize("arguments", [("migrate",), ("run", "--until-idle", "1")])
def test_commands_refuse_it_with_a_plain_message(
    narrow: dict[str, str], environment: dict[str, str], arguments: tuple[str, ...]
) -> None:
    refused = run("consumer", *arguments, environment={**environment, **narrow})
    assert refused.returncode != 0
    assert "cannot hold every text" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_connections_begin_with_nothing_that_a_pooler_refuses(
    settings: DatabaseSettings,
) -> None:
    """PgBouncer and RDS Proxy refuse startup options; what is stated afterwards passes."""
    migrate(settings)
    path = f"{settings.db_host}/.s.PGSQL.{settings.db_port}"
    with proxy_to_unix_socket(path) as way:
        through = settings.model_copy(update={"db_host": "127.0.0.1", "db_port": way.port})
        async with open_pool(through, 1) as pool, pool.connection() as session:
            await session.execute("SELECT count(*) FROM stage_documents")
        async with open_session(through) as session:
            assert (await stored_schema(session)).fits
        assert isinstance(await probe_database(through), DatabaseFacts)
        migrate(through)
        connect(through).close()
    begun = [parameters for greeting in way.greetings if (parameters := _startup(greeting))]
    assert len(begun) >= 5
    for parameters in begun:
        assert parameters.keys() <= TAKEN_BY_POOLERS


def _startup(greeting: bytes) -> Mapping[str, str]:
    """Read the parameters of a StartupMessage (PostgreSQL manual, "Message Formats")."""
    length, version = struct.unpack_from("!ii", greeting)
    if len(greeting) != length or version >> 16 != 3:
        return {}
    words = [word.decode() for word in greeting[8:].rstrip(b"\0").split(b"\0")]
    return dict(zip(words[::2], words[1::2], strict=False))
