"""`consumer migrate --grant-read ROLE`: whoever may read, and may do nothing else."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from consumer.load.migrations.grants import NotGranted, grant_audit, grant_read
from consumer.load.migrations.migrate import migrate
from tests.support.databases import conninfo
from tests.support.programs import succeed
from tests.support.warehouse import database_settings

RELATIONS = (
    "SELECT relname FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
)


@pytest.fixture
def owner(database: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """Give a session of the tables' owner."""
    migrate(database_settings(database))
    with psycopg.connect(**conninfo(database), autocommit=True) as connection:
        yield connection


@pytest.fixture
def role(owner: psycopg.Connection[Any]) -> Iterator[str]:
    """Give a role without any rights; its name has to be quoted."""
    name = f'Analyst "{secrets.token_hex(4)}"'
    owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
    yield name
    for statement in ("DROP OWNED BY {}", "DROP ROLE {}"):
        owner.execute(sql.SQL(statement).format(sql.Identifier(name)))


def session(database: dict[str, str], role: str) -> psycopg.Connection[Any]:
    return psycopg.connect(**(conninfo(database) | {"user": role}), autocommit=True)


def test_an_analyst_reads_everything_and_writes_nothing(
    database: dict[str, str], owner: psycopg.Connection[Any], role: str
) -> None:
    """In a hardened database too, and what a later release adds."""
    name = sql.Identifier(database["DB_NAME"])
    for revoked in (
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name),
        sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC"),
        sql.SQL("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC"),
    ):
        owner.execute(revoked)
    for _ in range(2):
        said = succeed("consumer", "migrate", "--grant-read", role, environment=database)
    assert f"{role} may read " in said
    owner.execute("CREATE VIEW later AS SELECT 1 AS one")
    with session(database, role) as analyst:
        names = [name for (name,) in analyst.execute(RELATIONS)]
        assert {"guest_checks", "v_item_sales", "v_store_days", "later"} <= set(names)
        for relation in names:
            analyst.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(relation)))
        for forbidden in (
            b"DELETE FROM taxes",
            b"CREATE TABLE mine ()",
            b"INSERT INTO menu_items VALUES ('1', 1)",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                analyst.execute(forbidden)


def test_ten_that_grant_at_once_all_succeed(database: dict[str, str], role: str) -> None:
    settings = database_settings(database)
    with ThreadPoolExecutor(10) as pool:
        counts = list(pool.map(lambda _: grant_read(settings, role), range(10)))
    assert len(set(counts)) == 1


@pytest.mark.parametrize("name", ["nobody here", "public", ""])
def test_a_role_that_is_not_there_is_named_and_not_made(
    database: dict[str, str], owner: psycopg.Connection[Any], name: str
) -> None:
    with pytest.raises(NotGranted, match=f"no role '{name}'.*CREATE ROLE"):
        grant_read(database_settings(database), name)
    assert not owner.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).rowcount


def test_who_does_not_own_the_tables_is_told_what_helps(
    database: dict[str, str], owner: psycopg.Connection[Any], role: str
) -> None:
    """Also one who may read them: PostgreSQL then grants nothing, and only warns."""
    settings = database_settings(database | {"DB_USER": role})
    for _ in range(2):
        with pytest.raises(NotGranted, match=r"GRANT SELECT ON .* as the owner of the tables"):
            grant_read(settings, "pg_monitor")
        owner.execute(
            sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(
                sql.Identifier(role)
            )
        )


def test_the_console_reads_with_a_time_limit_that_an_administrator_may_have_set(
    database: dict[str, str], owner: psycopg.Connection[Any], role: str
) -> None:
    for expected in ("10s", "7s"):
        said = succeed("consumer", "migrate", "--grant-console", role, environment=database)
        assert f"{role} may read " in said
        with session(database, role) as console:
            assert (expected,) == console.execute("SHOW statement_timeout").fetchone()
            console.execute("SELECT * FROM dead_letters")
            with pytest.raises(errors.InsufficientPrivilege):
                console.execute("INSERT INTO causes VALUES ('', '', '', '', '')")
        limit = sql.SQL("ALTER ROLE {} IN DATABASE {} SET statement_timeout = '7s'")
        names = sql.Identifier(role), sql.Identifier(database["DB_NAME"])
        owner.execute(limit.format(*names))


def test_who_writes_down_what_operators_do_may_do_nothing_else(
    database: dict[str, str], owner: psycopg.Connection[Any], role: str
) -> None:
    for _ in range(2):
        grant_audit(database_settings(database), role)
    with session(database, role) as auditor:
        auditor.execute("INSERT INTO operator_actions (kind, actor, program) VALUES ('', '', '')")
        auditor.execute("UPDATE operator_actions SET state = 'done'")
        auditor.execute("UPDATE dead_letters SET state = 'replayed'")
        for forbidden in (
            "DELETE FROM operator_actions",
            "UPDATE ingested_objects SET state = 'loaded'",
            "INSERT INTO object_events VALUES (DEFAULT)",
            "SELECT * FROM guest_checks",
            "DELETE FROM dead_letters",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                auditor.execute(forbidden.encode())
    with pytest.raises(NotGranted, match="no role"):
        grant_audit(database_settings(database), "nobody")
