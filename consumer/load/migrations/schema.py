"""The schema that the database has, against the one that this release needs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import structlog
from psycopg import AsyncConnection, errors

from consumer.errors import SchemaMismatch
from consumer.load import statements
from consumer.load.database import open_session
from consumer.load.migrations.steps import known_versions, schema_head, works_with
from consumer.load.sessions import check_encoding
from consumer.rows.tables import DATA_TABLES
from consumer.settings import DatabaseSettings
from schemas.columns import Column

log = structlog.get_logger()

# By table, then by column
StoredColumns = Mapping[str, Mapping[str, Column]]

LACKING_REMEDY = (
    "run `consumer migrate`; if it finds nothing to do, this release lacks a step: "
    "`python -m consumer.load.migrations new NAME` writes it"
)
_SHORT = {"timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp"}


class StoredSchema(NamedTuple):
    """The schema version that `consumer migrate` left, None if it never ran; who works with it."""

    version: str | None = None
    oldest: str | None = None

    @property
    def fits(self) -> bool:
        """Whether this release works with it."""
        return works_with(self.version, self.oldest)

    @property
    def is_newer(self) -> bool:
        """Whether a newer release left it."""
        return self.version not in (None, *known_versions())


async def stored_schema(session: AsyncConnection) -> StoredSchema:
    """Return the schema of the tables.

    Raises:
        psycopg.Error: unmapped, for whoever opened the session.
    """
    try:
        cursor = await session.execute(statements.fixed("read_schema"))
    except errors.UndefinedTable:
        return StoredSchema()
    row = await cursor.fetchone()
    return StoredSchema(*row) if row else StoredSchema()


async def stored_columns(session: AsyncConnection) -> StoredColumns:
    """Return the columns of the data tables in the database; a table that is not there has none."""
    cursor = await session.execute(
        statements.fixed("list_columns"), ([table.name for table in DATA_TABLES],)
    )
    columns: defaultdict[str, dict[str, Column]] = defaultdict(dict)
    for table, name, kind, comment in await cursor.fetchall():
        columns[table][name] = Column(name, str(_SHORT.get(kind, kind)), comment)
    return columns


def lacking_columns(stored: StoredColumns) -> Iterator[str]:
    """Give what the database lacks: a table, or a table's column."""
    for table in DATA_TABLES:
        if table.name not in stored:
            yield table.name
        else:
            lacking = [name for name in table.columns if name not in stored[table.name]]
            yield from (f"{table.name}.{name}" for name in lacking)


async def check_schema(settings: DatabaseSettings) -> None:
    """Refuse tables that do not fit this release, or that lack a column of its contracts.

    Raises:
        SettingsInvalid: the database cannot hold every text.
        SchemaMismatch: the tables are of another release, or lack something.
        ConsumerError: PostgreSQL does not answer or refuses us.
    """
    async with open_session(settings) as session:
        check_encoding(session.info, settings)
        needed, found = schema_head(), await stored_schema(session)
        if not found.fits:
            raise SchemaMismatch(
                f"the database is at schema {found.version or 'none'}, this release needs "
                f"{needed}; run `consumer migrate`, or deploy the newer release if the tables are "
                "newer"
            )
        if found.is_newer:
            log.info("schema_newer", schema=found.version, release_schema=needed)
        lacking = ", ".join(lacking_columns(await stored_columns(session)))
    if lacking:
        raise SchemaMismatch(f"the database lacks {lacking}; {LACKING_REMEDY}")
