"""Lets a role read the tables: those that there are and, by default privileges, later ones.

Makes no role and takes nothing away. Rights that the role has already are not granted again, since
an administrator may have granted what we may not.
"""

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


class NotGranted(ReportedError):
    """The role cannot be let in; the message says why, and what helps."""


def grant_read(settings: DatabaseSettings, role: str) -> int:
    """Let a role read all tables and views of ours, in one transaction. Blocks; may be repeated.

    Returns:
        How many tables and views it may read.

    Raises:
        NotGranted: there is no such role, or DB_USER may not grant what it lacks.
        SettingsInvalid, DatabaseUnavailable: as when migrating.
    """
    try:
        with connect(settings) as connection:
            # Two grants on one table at once would fail.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_ID,))
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                raise NotGranted(
                    f"there is no role {role!r}: an administrator creates it, such as by "
                    f"{_CREATE.format(sql.Identifier(role)).as_string(connection)}"
                )
            for grant in _lacking(connection, role):
                _execute(connection, grant)
            # Where we may pass nothing on, PostgreSQL only warns.
            if lacking := _lacking(connection, role):
                raise _refused(lacking[0])
            _execute(connection, _LATER.format(sql.Identifier(role)).as_string(connection))
            [[count]] = connection.execute(statements.fixed("count_relations")).fetchall()
            return int(count)
    except psycopg.Error as error:
        raise DatabaseUnavailable(
            f"granting failed: {error}; check DB_HOST, DB_USER and its rights"
        ) from error


def _lacking(connection: Connection[Any], role: str) -> list[str]:
    """Return the statements that would give the role what it lacks."""
    rows = connection.execute(statements.fixed("list_lacking_grants"), {"role": role})
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
