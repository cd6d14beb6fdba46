"""Finding objects that the lake has and the ledger has not, and announcing them again.

For events that were lost before they reached the queue, or a queue that was purged. An object
that is announced twice is loaded once.
"""

from collections.abc import AsyncIterator, Sequence

import psycopg
from psycopg_pool import AsyncConnectionPool

from consumer import statements
from consumer.postgres import mapped
from consumer.s3 import Lake
from consumer.sqs import Queue
from schemas.envelopes import ObjectEvent, created_body
from schemas.keys import is_folder_marker


async def find_forgotten(
    lake: Lake, pool: AsyncConnectionPool, prefix: str
) -> AsyncIterator[ObjectEvent]:
    """Yield an event for each object under a prefix without a ledger row; reads only.

    An object that is waiting in the queue right now has no row either.

    Raises:
        ConsumerError: S3 or PostgreSQL could not be asked.
    """
    async for page in lake.pages(prefix):
        documents = [event for event in page if not is_folder_marker(event.key)]
        known = await _ingested(pool, documents)
        for event in documents:
            if (event.key, event.etag) not in known:
                yield event


async def announce(events: AsyncIterator[ObjectEvent], queue: Queue) -> AsyncIterator[ObjectEvent]:
    """Send each event to the queue and yield it once it is there.

    Raises:
        ConsumerError: SQS could not take one; those before it are announced.
    """
    async for event in events:
        await queue.send(created_body(event), {})
        yield event


async def _ingested(
    pool: AsyncConnectionPool, events: Sequence[ObjectEvent]
) -> set[tuple[str, str | None]]:
    if not events:
        return set()
    parameters = {"bucket": events[0].bucket, "keys": [event.key for event in events]}
    try:
        async with pool.connection() as connection:
            cursor = await connection.execute(statements.fixed("find_ingested"), parameters)
            return {(key, etag) for key, etag in await cursor.fetchall()}
    except psycopg.Error as error:
        raise mapped(error) from error
