"""Writes the next migration: SQL for what the contracts name and the database lacks."""

import json
from collections.abc import Iterable, Iterator, Mapping

from consumer.load.migrations.schema import StoredColumns
from consumer.rows.tables import DATA_TABLES, LIST_TABLES, Table
from schemas.columns import Column
from schemas.registry import Source

_INDEXED = ("guest_check_id", "menu_item_id")
_KEY = ("store_id text NOT NULL", "bus_dt date NOT NULL", "record_id text NOT NULL")
_PROVENANCE = (
    "extra jsonb",
    "as_of timestamptz NOT NULL",
    "object_id bigint NOT NULL",
    "removed_at timestamptz",
    "PRIMARY KEY (store_id, bus_dt, record_id)",
)
# Of the columns that no contract has.
_COMMENTS = {
    "store_id": "The store as the ERP spells it: text, leading zeros and spaces inside kept",
    "bus_dt": "Business date of the answer that lists the row",
    "extra": "Fields that the contract does not name, as sent",
    "as_of": "curUTC of the answer that the row comes from, else the LastModified of its object",
    "object_id": "Ledger row of the answer that the row comes from",
    "removed_at": "Set when the ERP took the row back: filter on removed_at IS NULL",
}


class NotWritable(ValueError):
    """A difference that only a hand-written step can settle; the message names it."""


def migration(stored: StoredColumns) -> str:
    """Return the SQL that gives a database the columns and comments of the contracts.

    Values of new columns move there from `extra` and from partial documents; those that do not
    convert stay where they are. The fields' `unknown` drift ends. Empty when nothing differs.

    Raises:
        NotWritable: a column's type is not its field's, or a new table is no store-day list.
    """
    return "\n\n".join(
        part for table in DATA_TABLES for part in _step(table, stored.get(table.name, {}))
    )


def _step(table: Table, stored: Mapping[str, Column]) -> Iterator[str]:
    columns = {column.name: column for column in table.sent.values()}
    for name in columns.keys() & stored.keys():
        if columns[name].type != stored[name].type:
            raise NotWritable(
                f"{table.name}.{name} is {stored[name].type} in the database and "
                f"{columns[name].type} in its contract: write this step by hand"
            )
    new = [name for name in columns if name not in stored]
    if not stored:
        yield _creation(table, columns.values())
    elif new:
        added = ",\n".join(f"ADD COLUMN {name} {columns[name].type}" for name in new)
        yield f"ALTER TABLE {table.name}\n{added};"
    indexed = [
        f"CREATE INDEX {table.name}_{name} ON {table.name} ({name});"
        for name in new
        if name in _INDEXED
    ]
    described = [*indexed, *_comments(table, columns, stored)]
    if described:
        yield "\n".join(described)
    if stored and new:
        yield _promotion(table, new)


def _creation(table: Table, columns: Iterable[Column]) -> str:
    source = next((source for source, made in LIST_TABLES.items() if made is table), None)
    if source is None:
        raise NotWritable(f"there is no table {table.name}: write this step by hand")
    filled = [f"{column.name} {column.type}" for column in columns]
    lines = ",\n".join(f"    {line}" for line in (*_KEY, *filled, *_PROVENANCE))
    record_id = f"{source.entry.id_field} as text, or content:<hash>:<n> for rows without an id"
    comments = [
        f"COMMENT ON COLUMN {table.name}.{name} IS {_literal(comment)};"
        for name, comment in (*_COMMENTS.items(), ("record_id", record_id))
    ]
    return "\n".join(
        [
            f"CREATE TABLE {table.name} (\n{lines}\n);",
            f"COMMENT ON TABLE {table.name} IS {_literal(source.entry.comment)};",
            *comments,
        ]
    )


def _comments(
    table: Table, columns: Mapping[str, Column], stored: Mapping[str, Column]
) -> Iterator[str]:
    for name, column in columns.items():
        known = stored.get(name)
        # A comment that no contract knows was written by hand, in an earlier step.
        if column.comment and (known is None or known.comment != column.comment):
            yield f"COMMENT ON COLUMN {table.name}.{name} IS {_literal(column.comment)};"


def _promotion(table: Table, new: Iterable[str]) -> str:
    fields = {path: column.name for path, column in table.sent.items() if column.name in set(new)}
    moved = json.dumps(fields, indent=4)
    field = table.level.partition(".")[0]
    sources = ", ".join(_literal(source) for source in Source if source.entry.list_field == field)
    paths = ",\n    ".join(_literal(f"{table.level}.{path}") for path in fields)
    ended = f"DELETE FROM drift_findings\nWHERE kind = 'unknown' AND source IN ({sources})"  # noqa: S608 - names of contracts
    return (
        f"SELECT promote_fields({_literal(table.name)}, {_literal(moved)});\n"
        f"{ended} AND path IN (\n    {paths}\n);"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
