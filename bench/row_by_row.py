"""The peer most teams start with: json.loads, one INSERT … ON CONFLICT a row, one commit a file.

It does less than the loader: no validation, no versions, no ledger, nothing is ever removed.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any

import psycopg
from psycopg.types.json import Json

from bench.documents import Document
from consumer.rows.tables import (
    DETAIL_COLUMNS,
    DETAIL_LINES,
    GUEST_CHECKS,
    LIST_TABLES,
    TAXES,
    Table,
)
from consumer.settings import DatabaseSettings
from schemas.columns import column_name as column
from schemas.guest_checks import LINE_TYPES

_AS_OF = "2024-06-01T12:00:00Z"
_MENU_ITEMS = Table(
    name="menu_items",
    level="",
    key=("store_id", "menu_item_id"),
    columns=("store_id", "menu_item_id", "first_seen", "last_seen"),
    sent={},
)
_STAMPED = {table.name for table in (GUEST_CHECKS, *LIST_TABLES.values())}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Insert:
    table: Table
    row: Row


def load_seconds(database: DatabaseSettings, documents: Iterable[Document]) -> float:
    """Load documents row by row; return the seconds to the last commit."""
    with psycopg.connect(**database.conninfo) as connection:
        began = perf_counter()
        for document in documents:
            for insert in _inserts(document):
                connection.execute(*_statement(insert))
            connection.commit()
        return perf_counter() - began


def _inserts(document: Document) -> Iterator[_Insert]:
    root = json.loads(document.data)
    if document.source.holds_checks:
        for check in root.get("guestChecks") or ():
            yield from _check_inserts(document.store, check)
        return
    shape, table = document.source.entry, LIST_TABLES[document.source]
    for number, row in enumerate(root.get(shape.list_field) or ()):
        key = {
            "store_id": document.store,
            "bus_dt": document.day,
            "record_id": str(row.pop(shape.id_field, f"row-{number}")),
        }
        yield _Insert(table, key | _columns(row, table))


def _check_inserts(store: str, check: Row) -> Iterator[_Insert]:
    taxes, lines = check.pop("taxes", None) or (), check.pop("detailLines", None) or ()
    key = {"store_id": store, "guest_check_id": check["guestCheckId"]}
    yield _Insert(GUEST_CHECKS, key | _columns(check, GUEST_CHECKS))
    for tax in taxes:
        yield _Insert(TAXES, key | _columns(tax, TAXES))
    for line in lines:
        detail_name = next((name for name in LINE_TYPES if name in line), None)
        detail = _flattened(line.pop(detail_name), detail_name) if detail_name else {}
        if item := detail.get("menu_item_id"):
            seen = {"first_seen": line.get("busDt"), "last_seen": line.get("busDt")}
            yield _Insert(_MENU_ITEMS, {"store_id": store, "menu_item_id": item} | seen)
        yield _Insert(DETAIL_LINES, key | _columns(line, DETAIL_LINES) | detail)


def _flattened(detail: Row, name: str) -> Row:
    columns = DETAIL_COLUMNS[name]
    return {"line_type": LINE_TYPES[name]} | {columns[key]: detail[key] for key in detail}


def _columns(record: Row, table: Table) -> Row:
    row = {column(name): value for name, value in record.items()}
    extra = {name: row.pop(name) for name in row.keys() - set(table.columns)}
    return row | {"extra": Json(extra)} if extra else row


def _statement(insert: _Insert) -> tuple[bytes, list[Any]]:
    stamp = {"as_of": _AS_OF, "object_id": 1} if insert.table.name in _STAMPED else {}
    row = insert.row | stamp
    return _upsert(insert.table, tuple(row)), list(row.values())


@cache
def _upsert(table: Table, columns: tuple[str, ...]) -> bytes:
    """Write the statement as a script would have it in its source."""
    names = ", ".join(columns)
    values = ", ".join(["%s"] * len(columns))
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns)
    statement = (
        f"INSERT INTO {table.name} ({names}) VALUES ({values}) "  # noqa: S608 - our own tables
        f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {updates}"
    )
    return statement.encode()
