"""Finding objects that the lake has and the ledger has not, and announcing them again.

For events that were lost before they reached the queue, or a queue that was purged. An object
that is announced twice is loaded once.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Protocol

from psycopg import AsyncConnection

from consumer.aws.sqs import BATCH_SIZE, Queue
from consumer.load import statements
from schemas.envelopes import ObjectEvent, created_body
from schemas.keys import is_folder_marker


class Listing(Protocol):
    """A bucket, as far as reconciling goes."""

    def pages(self, prefix: str) -> AsyncIterator[list[ObjectEvent]]:
        """Yield the objects under a prefix, a page at a time, as events of their creation."""


async def find_forgotten(
    lake: Listing, session: AsyncConnection[Any], prefix: str
) -> AsyncGenerator[list[ObjectEvent], None]:
    """Yield events for the objects under a prefix without a ledger row, page by page; reads only.

    An object whose message is waiting in the queue right now has no row either.

    Raises:
        ConsumerError: S3 could not be asked.
        psycopg.Error: PostgreSQL could not be asked.
    """
    async for page in lake.pages(prefix):
        documents = [event for event in page if not is_folder_marker(event.key)]
        known = await _ingested(session, documents)
        yield [event for event in documents if (event.key, event.etag) not in known]


async def announce(events: Sequence[ObjectEvent], queue: Queue) -> AsyncIterator[ObjectEvent]:
    """Send events to the queue, ten at a time, and yield each once it is there.

    Raises:
        ConsumerError: SQS could not take one; those that were yielded are announced.
    """
    for start in range(0, len(events), BATCH_SIZE):
        group = events[start : start + BATCH_SIZE]
        await asyncio.gather(*(queue.send(created_body(event), {}) for event in group))
        for event in group:
            yield event


async def _ingested(
    session: AsyncConnection[Any], events: Sequence[ObjectEvent]
) -> set[tuple[str, str | None]]:
    if not events:
        return set()
    parameters = {"bucket": events[0].bucket, "keys": [event.key for event in events]}
    cursor = await session.execute(statements.fixed("find_ingested"), parameters)
    return {(key, etag) for key, etag in await cursor.fetchall()}
