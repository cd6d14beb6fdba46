"""The roster of stores that EXPECTED_STORES names, taken over into the tables once at the start."""

import asyncio
from collections.abc import Sequence

import structlog
from psycopg_pool import AsyncConnectionPool

from consumer.errors import ConsumerError
from consumer.load import statements
from consumer.load.database import borrowed
from schemas.registry import ENDPOINTS

log = structlog.get_logger()

_PAUSE_SECONDS = 60.0


async def announce_roster(pool: AsyncConnectionPool, stores: Sequence[str]) -> None:
    """Take over the roster; without one, leave what the tables say.

    A database that is down is asked again every minute: the work does not wait for it.
    """
    while stores:
        try:
            await write_roster(pool, stores)
        except ConsumerError as error:
            log.warning("roster_not_written", code=error.code)
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            log.info("roster_written", stores=len(stores))
            return


async def write_roster(pool: AsyncConnectionPool, stores: Sequence[str]) -> None:
    """Write which stores are expected to answer every endpoint from now on; idempotent.

    Raises:
        ConsumerError: it was not committed.
    """
    roster = {
        "stores": sorted(set(stores)),
        "sources": [endpoint.source.value for endpoint in ENDPOINTS],
    }
    async with borrowed(pool) as session:
        # Two that begin at once would find the same stores new.
        await session.execute("LOCK TABLE expected_stores IN SHARE ROW EXCLUSIVE MODE")
        await session.execute(statements.fixed("expect_stores"), roster)
