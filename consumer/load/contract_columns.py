"""The columns that the contracts name, held against those of the database."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from psycopg import AsyncConnection

from consumer.load import statements
from consumer.rows.tables import DATA_TABLES
from schemas.columns import Column

# By table, then by column
StoredColumns = Mapping[str, Mapping[str, Column]]

LACKING_REMEDY = (
    "run `consumer migrate`; if it finds nothing to do, this release lacks a step: "
    "`python -m consumer.load.migrations new NAME` writes it"
)
_SHORT = {"timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp"}


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
