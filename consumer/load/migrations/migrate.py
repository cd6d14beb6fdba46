"""Creates or upgrades the tables.

Safe to repeat and to run from many containers at once: a session-wide advisory lock lets one
migrate while the others wait and then find nothing to do.
"""

from functools import partial

import psycopg
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from consumer.errors import DatabaseUnavailable, SchemaMismatch
from consumer.load import statements
from consumer.load.migrations import steps
from consumer.load.migrations.upgrade import upgrade
from consumer.load.sessions import connect
from consumer.settings import DatabaseSettings

# Any constant will do as long as no other program uses it in this database.
LOCK_ID = 0x636F636F


def migrate(settings: DatabaseSettings) -> tuple[str | None, str]:
    """Bring the schema to this release's version, in one transaction. Blocks.

    Returns:
        The schema versions before and after; equal when there was nothing to do, also if the tables
        are newer and say that this release works with them.

    Raises:
        SettingsInvalid, SchemaMismatch: this release cannot work with the database.
        DatabaseUnavailable: PostgreSQL could not be reached or refused.
    """
    engine = create_engine(
        "postgresql+psycopg://", creator=partial(connect, settings), poolclass=NullPool
    )
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:id)"), {"id": LOCK_ID})
            connection.commit()
            before = _current(connection)
            if before and before not in steps.known_versions():
                return before, before
            upgrade(connection)
            connection.commit()
            return before, steps.schema_head()
    except (DBAPIError, psycopg.Error) as error:
        # The migration's own script goes to the driver as it is, and fails with its errors.
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise DatabaseUnavailable(
            f"migration failed: {reason}; check DB_HOST, DB_USER and its rights"
        ) from error


def _current(connection: Connection) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        # A second, empty set of tables would leave the loaded one behind without a word.
        other = connection.execute(text(statements.text("find_other_schema"))).scalar()
        if other is not None:
            raise SchemaMismatch(
                f"the tables are in schema {other}, this release reads and writes public only; "
                f"move the tables, views and functions of {other} (ALTER … SET SCHEMA public), or "
                "set DB_NAME to a database of our own"
            )
    elif current not in steps.known_versions() and not _works_with_newer(connection, current):
        raise SchemaMismatch(
            f"the database is at schema {current}, newer than this release knows "
            f"({steps.schema_head()}); deploy the newer release"
        )
    connection.commit()
    return current


def _works_with_newer(connection: Connection, current: str) -> bool:
    _, oldest = connection.execute(text(statements.text("read_schema"))).one()
    return steps.works_with(current, oldest)
