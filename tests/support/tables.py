"""Reads what the tables say, with nothing of the consumer's: as those who query them do."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from tests.support.databases import conninfo
from tests.support.facts import TABLES as DATA_TABLES

PROVENANCE = frozenset(
    {
        "object_id",
        "as_of",
        "latest_credible",
        "patched",
        "removed_at",
        "content_digest",
        "digest_object_id",
    }
)


class Tables:
    """The tables of a database, through a session that only looks."""

    def __init__(self, look: psycopg.Connection[Any]) -> None:
        self._look = look

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Run a query."""
        return self._look.execute(statement.encode(), parameters or None).fetchall()

    def rows(self, table: str, stores: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the live rows of a table: what documents say, without provenance and nulls."""
        return [_content(row) for row in self._all(table, stores) if row["removed_at"] is None]

    def removed(self, table: str, stores: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the removed rows of a table, likewise."""
        return [_content(row) for row in self._all(table, stores) if row["removed_at"] is not None]

    def versions(self, stores: Iterable[str]) -> dict[str, list[Any]]:
        """Return who wrote each row where: equal before and after if nothing was rewritten."""
        wanted = list(stores)
        return {
            table: self.query(
                f"SELECT xmin::text, ctid::text FROM {table} WHERE store_id = ANY (%s)"
                " ORDER BY ctid",
                wanted,
            )
            for table in (*DATA_TABLES, "store_days")
        }

    def _all(self, table: str, stores: Iterable[str] | None) -> list[dict[str, Any]]:
        if stores is None:
            return self.query(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        wanted = list(stores)
        return self.query(
            f"SELECT * FROM {table} WHERE store_id = ANY (%s) ORDER BY 1, 2, 3", wanted
        )


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in row.items() if value is not None and name not in PROVENANCE
    }


@contextmanager
def looking(database: Mapping[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """Open a session in UTC whose rows are dictionaries and whose numbers keep their digits."""
    with psycopg.connect(**conninfo(database), autocommit=True, row_factory=dict_row) as look:
        look.execute("SET TIME ZONE 'UTC'")
        set_json_loads(lambda text: json.loads(text, parse_float=Decimal), look)
        yield look
