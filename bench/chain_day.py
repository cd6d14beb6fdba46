"""A business day of a whole chain: a store's, written again by SQL under many other names.

Amounts and times differ from store to store: columns of mere repetitions would compress too well.
"""

from typing import Any

import psycopg
from psycopg import sql

from bench.databases import TABLES
from consumer.rows.tables import DETAIL_LINES
from consumer.settings import DatabaseSettings

Connection = psycopg.Connection[Any]

_IDS = {"guest_check_id", "guest_check_line_item_id"}
_COLUMNS = """
SELECT attname, format_type(atttypid, NULL)
FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""


def spread(database: DatabaseSettings, store: str, lines: int) -> int:
    """Give more stores the rows of one, until there are that many lines; return how many."""
    with psycopg.connect(**database.conninfo, autocommit=True) as connection:
        # Nobody else is in this database: foreign keys need no check of every row.
        connection.execute("SET session_replication_role = replica")
        stores = -(-lines // _count_lines(connection))
        for table in TABLES:
            connection.execute(_copies(connection, table), {"store": store, "stores": stores - 1})
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        return _count_lines(connection)


def _count_lines(connection: Connection) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(DETAIL_LINES.name))
    [[count]] = connection.execute(query).fetchall()
    return int(count)


def _copies(connection: Connection, table: str) -> sql.Composed:
    """Return the statement that writes a table's rows once more for each new store."""
    columns: dict[str, str] = dict(connection.execute(_COLUMNS, [table]).fetchall())
    return sql.SQL(
        "INSERT INTO {} ({}) SELECT {} FROM {} AS t, generate_series(1, %(stores)s) AS s "
        "WHERE t.store_id = %(store)s"
    ).format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(_value(name, kind) for name, kind in columns.items()),
        sql.Identifier(table),
    )


def _value(name: str, kind: str) -> sql.Composable:
    column = sql.Identifier("t", name)
    if name == "store_id":
        return sql.SQL("'chain ' || lpad(s::text, 3, '0')")
    if name in _IDS:
        return sql.SQL("{} + s * 100000000000").format(column)
    if kind == "numeric":
        return sql.SQL("{} + s * 0.01").format(column)
    if kind.startswith("timestamp") and name.endswith(("_utc", "_lcl")):
        return sql.SQL("{} + s * interval '1 second'").format(column)
    return column
