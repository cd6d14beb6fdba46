"""What the documents say of the tables holds for a migrated database."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from consumer.load.migrations.migrate import migrate
from docs.reference import generate
from tests.support.warehouse import database_settings

ANALYSTS = Path(__file__).parent.parent.parent / "docs" / "analysts.md"
QUERIES = re.findall(
    r"^```sql\n(.*?)^```", ANALYSTS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.fixture
def connection(database: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """Give a migrated, empty database."""
    settings = database_settings(database)
    migrate(settings)
    parameters: dict[str, Any] = {**settings.conninfo}
    with psycopg.connect(**parameters) as opened:
        yield opened


def test_the_page_of_tables_is_what_the_database_says(
    connection: psycopg.Connection[Any],
) -> None:
    written = (generate.HERE / "tables.md").read_text(encoding="utf-8")
    expected = generate.tables_page(connection)
    assert expected == written, "the tables have changed: run `make reference`"


def test_every_table_says_what_it_holds(connection: psycopg.Connection[Any]) -> None:
    relations = connection.execute(generate.RELATIONS).fetchall()
    assert [] == [name for name, _, comment in relations if not comment]


def test_there_are_queries_for_analysts() -> None:
    assert len(QUERIES) >= 3


@pytest.mark.parametrize("query", QUERIES)
def test_an_example_query_runs(query: str, connection: psycopg.Connection[Any]) -> None:
    """Names that a migration changed would fail here, on empty tables."""
    assert connection.execute(query.encode()).fetchall() == []
