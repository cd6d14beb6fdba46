"""The README's example queries run on the tables as they are."""

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from consumer.load.migrate import migrate
from tests.support.warehouse import database_settings

README = Path(__file__).parent.parent.parent / "README.md"
QUERIES = re.findall(
    r"^```sql\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def test_the_readme_has_queries_for_analysts() -> None:
    assert len(QUERIES) >= 3


@pytest.mark.parametrize("query", QUERIES)
def test_an_example_query_runs(query: str, database: dict[str, str]) -> None:
    """Names that a migration changed would fail here, on empty tables."""
    settings = database_settings(database)
    migrate(settings)
    parameters: dict[str, Any] = {**settings.conninfo}
    with psycopg.connect(**parameters) as connection:
        assert connection.execute(query.encode()).fetchall() == []
