"""Sessions whose transactions overlap."""

import asyncio
import time

from consumer.load.document import StagedDocument
from consumer.load.transaction import load_batch
from tests.support.warehouse import Warehouse, requests


def load_while_other_is_uncommitted(
    warehouse: Warehouse, first: StagedDocument, second: StagedDocument
) -> None:
    """Let `second` run into the rows of `first`, whose transaction commits only then."""

    async def race() -> None:
        one, other = warehouse.sessions
        async with one.transaction():
            await load_batch(one, requests(first))
            waiting = asyncio.create_task(load_batch(other, requests(second)))
            await until_blocked(warehouse)
        await waiting

    warehouse.runner.run(race())


async def until_blocked(warehouse: Warehouse, sessions: int = 1) -> None:
    """Wait until so many sessions of this database wait for a lock."""
    deadline = time.monotonic() + 10
    while sessions > len(
        warehouse.query(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
    ):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
