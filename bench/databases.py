"""Fresh databases on the one server that everything is measured on."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from consumer.load.migrations.migrate import migrate
from consumer.rows.tables import DATA_TABLES
from consumer.settings import DatabaseSettings

# In an order that foreign keys allow.
TABLES = ("menu_items", *(table.name for table in DATA_TABLES))
_TEMPLATE = "bench_template"


class Server:
    """The PostgreSQL server of DB_HOST; hands out empty databases with the consumer's tables."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._admin(f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)")
        self._admin(f"CREATE DATABASE {_TEMPLATE}")
        migrate(self._named(_TEMPLATE))

    @contextmanager
    def fresh(self, name: str) -> Iterator[DatabaseSettings]:
        """Hold a migrated, empty database; gone afterwards."""
        self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._admin(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        self._admin("CHECKPOINT")
        try:
            yield self._named(name)
        finally:
            self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    def version(self) -> str:
        """Return the server's version."""
        with psycopg.connect(**self._settings.conninfo) as connection:
            return str(connection.execute("SHOW server_version").fetchall()[0][0])

    def _named(self, name: str) -> DatabaseSettings:
        return DatabaseSettings.model_validate(self._settings.model_dump() | {"db_name": name})

    def _admin(self, statement: str) -> None:
        with psycopg.connect(**self._settings.conninfo, autocommit=True) as connection:
            connection.execute(statement.encode())


def row_counts(settings: DatabaseSettings) -> dict[str, int]:
    """Count the rows of every data table."""
    return {name: count_rows(settings, name) for name in TABLES}


def count_rows(settings: DatabaseSettings, table: str) -> int:
    """Count the rows of a table."""
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    with psycopg.connect(**settings.conninfo) as connection:
        return int(connection.execute(query).fetchall()[0][0])
