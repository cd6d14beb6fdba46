"""The batch's SQL, written once from the `.sql` files and the tables' columns.

As bytes, which a session sends as they are: it would write composed statements anew each time.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

from psycopg import sql

from consumer.rows.tables import LIST_TABLES, Table

LIST_SOURCES: list[str] = [source.value for source in LIST_TABLES]


def text(name: str) -> str:
    """Return the SQL of `consumer/load/sql/*/<name>.sql`; names are unique across folders."""
    return _texts()[name]


@cache
def _texts() -> dict[str, str]:
    # All at once, at the first session: no file is opened while messages are worked on.
    paths = Path(str(files("consumer.load"))).glob("sql/*/*.sql")
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


@cache
def fixed(name: str) -> bytes:
    """Return a statement that needs no columns filled in."""
    return text(name).encode()


@cache
def for_table(name: str, table: Table) -> bytes:
    """Return a statement with a table's name and columns filled in."""
    composed = sql.SQL(text(name)).format(
        table=sql.Identifier(table.name),
        stage=sql.Identifier(table.stage),
        key=_list(table.key),
        columns=_list(table.columns),
        staged=_list(table.columns, "s"),
        stored=_list(table.columns, "t"),
        told=_list(table.told, "t"),
        excluded=_list(table.columns, "excluded"),
        effective=sql.SQL(", ").join(
            sql.SQL("(e.row).{}").format(sql.Identifier(name)) for name in table.columns
        ),
        assignments=sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in table.values
        ),
        child_id=sql.Identifier(table.key[-1]),
    )
    return composed.as_bytes()


def _list(columns: tuple[str, ...], alias: str | None = None) -> sql.Composed:
    prefix = (alias,) if alias else ()
    return sql.SQL(", ").join(sql.Identifier(*prefix, name) for name in columns)
