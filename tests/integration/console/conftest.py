"""A browser for the tests of the console: one for the process, and one event loop for all of them.

Most tests need none: they ask the application for pages in this process, on a database of their own.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.conftest import Servers
from tests.support.browser.visiting import Complaints, Visit, running_browser, visitors
from tests.support.console_days import Days
from tests.support.console_pages import Pages, pages_of
from tests.support.databases import own_database
from tests.support.migrated import with_tables
from tests.support.serving import served_console

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is here in the browser's own event loop."""
    for item in items:
        if _HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give the browser; the tests fail where there is none."""
    async with running_browser() as found:
        yield found


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Give what pages complain of; anything that the test did not expect fails it."""
    heard = Complaints()
    yield heard
    assert [] == heard.unexpected()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, complaints: Complaints) -> AsyncIterator[Visit]:
    """Give what lets another visitor in, with cookies of their own."""
    async with visitors(browser, complaints) as let_in:
        yield let_in


@pytest_asyncio.fixture(loop_scope="session")
async def page(visit: Visit) -> Page:
    """Give a visitor's page."""
    return await visit()


@pytest.fixture
def console_url(environment: dict[str, str]) -> Iterator[str]:
    """Serve the console on the test's own lake and migrated database; give its address."""
    with_tables(environment)
    with served_console(environment) as url:
        yield url


@pytest.fixture(scope="session")
def shared_tables(stack: Servers) -> Iterator[dict[str, str]]:
    """Give the DB_* variables of a database that the tests without a browser take turns with."""
    with own_database(stack.environment) as variables:
        with_tables(variables)
        yield variables


@pytest.fixture
def tables(shared_tables: dict[str, str]) -> dict[str, str]:
    """Give the DB_* variables of a database with empty tables."""
    Days(shared_tables).forget()
    return shared_tables


@pytest.fixture
def days(tables: dict[str, str]) -> Days:
    """Give what writes store-days into it."""
    return Days(tables)


@pytest_asyncio.fixture(loop_scope="session")
async def pages(tables: dict[str, str]) -> AsyncIterator[Pages]:
    """Give the pages that show it, without a browser."""
    async with pages_of(tables, console_operators="local") as found:
        yield found
