"""Lets a role read the tables, or write down what operators do.

Who may read may read the tables that there are and, by default privileges, later ones. The console
reads with a limit on how long a statement takes, and writes its audit rows as another role.

Makes no role and takes nothing away. Rights that the role has already are not granted again, since
an administrator may have granted what we may not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, sql

from consumer.errors import DatabaseUnavailable
from consumer.load import statements
from consumer.load.migrations.migrate import LOCK_ID
from consumer.load.sessions import connect
from consumer.settings import DatabaseSettings
from runtime.errors import ReportedError

_CREATE = sql.SQL("CREATE ROLE {} LOGIN")
_LATER = sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {}")
_TIMEOUT = sql.SQL("ALTER ROLE {} IN DATABASE {} SET statement_timeout = '10s'")


class NotGranted(ReportedError):
    """The role cannot be let in; the message says why, and what helps."""


def grant_read(settings: DatabaseSettings, role: str, *, is_console: bool = False) -> int:
    """Let a role read all tables and views of ours, in one transaction. Blocks; may be repeated.

    For the console, its statements end after ten seconds, unless another limit was set.

    Returns:
        How many tables and views it may read.

    Raises:
        NotGranted: there is no such role, or DB_USER may not grant what it lacks.
        SettingsInvalid, DatabaseUnavailable: as when migrating.
    """
    with _granting(settings, role) as connection:
        _grant(connection, role, "list_lacking_grants")
        _execute(connection, _LATER.format(sql.Identifier(role)).as_string(connection))
        has_timeout = connection.execute(statements.fixed("has_timeout"), {"role": role}).rowcount
        if is_console and not has_timeout:
            names = sql.Identifier(role), sql.Identifier(settings.db_name)
            _execute(connection, _TIMEOUT.format(*names).as_string(connection))
        [[count]] = connection.execute(statements.fixed("count_relations")).fetchall()
        return int(count)


def grant_audit(settings: DatabaseSettings, role: str) -> None:
    """Let a role write down what operators do, and nothing else. Blocks; may be repeated.

    Raises:
        NotGranted, SettingsInvalid, DatabaseUnavailable: as `grant_read`.
    """
    with _granting(settings, role) as connection:
        _grant(connection, role, "list_lacking_audit_grants")


@contextmanager
def _granting(settings: DatabaseSettings, role: str) -> Iterator[Connection[Any]]:
    """Hold one transaction for the grants of a role that there is."""
    try:
        with connect(settings) as connection:
            # Two grants on one table at once would fail.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_ID,))
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                raise NotGranted(
                    f"there is no role {role!r}: an administrator creates it, such as by "
                    f"{_CREATE.format(sql.Identifier(role)).as_string(connection)}"
                )
            yield connection
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"granting failed: {error}; check DB_HOST, DB_USER and its rights"
        ) from error


def _grant(connection: Connection[Any], role: str, statement: str) -> None:
    """Grant what a statement says that the role lacks."""
    for grant in _lacking(connection, role, statement):
        _execute(connection, grant)
    # Where we may pass nothing on, PostgreSQL only warns.
    if lacking := _lacking(connection, role, statement):
        raise _refused(lacking[0])


def _lacking(connection: Connection[Any], role: str, statement: str) -> list[str]:
    """Return the statements that would give the role what it lacks."""
    rows = connection.execute(statements.fixed(statement), {"role": role})
    return [grant for (grant,) in rows]


def _execute(connection: Connection[Any], grant: str) -> None:
    try:
        connection.execute(grant.encode())
    except psycopg.errors.InsufficientPrivilege as error:
        raise _refused(grant) from error


def _refused(grant: str) -> NotGranted:
    return NotGranted(
        f"DB_USER may not do this: {grant}; run `consumer migrate --grant-read` as the owner of "
        "the tables, or let an administrator run the statement first"
    )
