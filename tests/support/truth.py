"""Holds the tables to what the oracle expects of everything that was put."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import simplejson

from tests.support.oracle import LISTS, Key, Put, Row, expected_tables
from tests.support.tables import DATA_TABLES, Tables

KEYS = {
    "guest_checks": ("store_id", "guest_check_id"),
    "taxes": ("store_id", "guest_check_id", "tax_num"),
    "detail_lines": ("store_id", "guest_check_id", "guest_check_line_item_id"),
    "menu_items": ("store_id", "menu_item_id"),
} | {table: ("store_id", "bus_dt", "record_id") for table, _, _ in LISTS.values()}


class Told(Protocol):
    """What the oracle is told: everything that was put, and the stores that it is about."""

    @property
    def puts(self) -> Sequence[Put]:
        """What was put, in order of time."""

    @property
    def stores(self) -> Iterable[str]:
        """The stores."""


def live_rows(tables: Tables, table: str, stores: Iterable[str]) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for row in tables.rows(table, stores):
        key = tuple(row.pop(name) for name in KEYS[table])
        rows[key] = row
    return rows


def assert_truth(tables: Tables, history: Told) -> None:
    expected = expected_tables(history.puts)
    for table in DATA_TABLES:
        actual = live_rows(tables, table, history.stores)
        if table in {name for name, _, _ in LISTS.values()}:
            assert _by_id_or_content(expected[table]) == _by_id_or_content(actual), table
        else:
            assert expected[table] == actual, table


def _by_id_or_content(rows: Mapping[Key, Row]) -> Counter[tuple[Key, str]]:
    """Tell rows with an id by it, those without by their content."""
    return Counter(
        (
            (store, day, "content" if name.startswith("content") else name),
            simplejson.dumps(row, use_decimal=True, sort_keys=True, default=str),
        )
        for (store, day, name), row in rows.items()
    )
