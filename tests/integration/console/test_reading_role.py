"""The console with a role that may only read: every page, the story of a day included."""

import json
import secrets
from collections.abc import Iterator

import pytest
from psycopg import errors

from console.app import build
from console.data.servers import Servers, open_servers
from consumer.load.migrations.grants import grant_read
from consumer.settings import DatabaseSettings
from tests.conftest import Lake
from tests.support.console_days import DAY, Days
from tests.support.console_month import fill_month
from tests.support.console_pages import Pages, console_settings
from tests.support.migrated import with_tables

PASSWORD = "only-to-look"
KEY = f"raw/api_responses/getGuestChecks/busDt={DAY}/storeId=001/20240305T100000.000000Z.json"
DOCUMENT = {
    "curUTC": "2024-03-05T10:00:00",
    "locRef": "001",
    "guestChecks": [{"guestCheckId": 1, "opnBusDt": f"{DAY}", "lastUpdatedUTC": f"{DAY}T10:00:00", "subTtl": 5}],
}  # fmt: skip


@pytest.fixture
def role(environment: dict[str, str]) -> Iterator[str]:
    """Give a role that may read the tables, and nothing else."""
    with_tables(environment)
    name, days = f"reader_{secrets.token_hex(6)}", Days(environment)
    days.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    named = {key.lower(): value for key, value in environment.items() if key.startswith("DB_")}
    grant_read(DatabaseSettings.model_validate(named), name)
    yield name
    days.execute(f"DROP OWNED BY {name}")
    days.execute(f"DROP ROLE {name}")


async def test_every_page_is_there_for_a_role_that_may_only_read(
    environment: dict[str, str], role: str, lake: Lake
) -> None:
    fill_month(Days(environment))
    lake.s3.put_object(Bucket=lake.bucket, Key=KEY, Body=json.dumps(DOCUMENT).encode())
    settings = console_settings(environment, console_db_user=role, console_db_password=PASSWORD)
    async with open_servers(settings) as servers:
        pages = Pages(build(servers))
        for address in (
            "/",
            f"/revenue?day={DAY}&store=001",
            "/drift",
            "/find?q=001",
            f"/find?q={DAY}",
        ):
            shown = await pages.get(address)
            assert shown.status == 200
            assert "did not answer" not in shown.html
        shown = await pages.get(f"/day/{DAY}/001?story=1")
        assert "did not answer" not in shown.html
        assert '<td class="n">5</td>' in shown.html
        await assert_nothing_can_be_written(servers)


async def assert_nothing_can_be_written(servers: Servers) -> None:
    """Not even by a query that tries to, whatever the role may do."""
    async with servers.database._pool.connection() as session:
        with pytest.raises((errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)):
            await session.execute("DELETE FROM store_days")
