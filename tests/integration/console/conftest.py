"""A database of each test's own, and the console's pages on it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conftest import Servers
from tests.support.console_days import Days
from tests.support.console_pages import Pages, pages_of
from tests.support.databases import own_database
from tests.support.migrated import with_tables


@pytest.fixture
def tables(stack: Servers) -> Iterator[dict[str, str]]:
    """Give the DB_* variables of a database with empty tables."""
    with own_database(stack.environment) as variables:
        with_tables(variables)
        yield variables


@pytest.fixture
def days(tables: dict[str, str]) -> Days:
    """Give what writes store-days into it."""
    return Days(tables)


@pytest.fixture
async def pages(tables: dict[str, str]) -> AsyncIterator[Pages]:
    """Give the pages that show it."""
    async with pages_of(tables) as found:
        yield found
