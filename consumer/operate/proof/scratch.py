"""A session whose tables are its own: what is loaded there hides the real tables from the loader.

They are temporary tables, which come first in every search path, so that the loader's statements
work on them unchanged. No other session sees them, and the server drops them with the session:
also when we are killed. What is compared lies beside them, as `public.…`, in one snapshot.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import psycopg
from psycopg import AsyncConnection

from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.load import statements
from consumer.load.database import mapped, open_loading_session
from consumer.load.document import LoadRequest
from consumer.load.transaction import load_batch
from consumer.settings import DatabaseSettings
from schemas.codes import State


@asynccontextmanager
async def open_scratch(settings: DatabaseSettings) -> AsyncIterator[AsyncConnection]:
    """Hold a session with empty tables of its own.

    Raises:
        ConsumerError: PostgreSQL does not answer or refuses us, also to a query of the block.
    """
    async with open_loading_session(settings) as session:
        await session.execute(statements.fixed("shadow_tables"))
        await session.execute(statements.fixed("proof_tables"))
        yield session


@asynccontextmanager
async def snapshot(session: AsyncConnection) -> AsyncIterator[None]:
    """See the real tables as they are now while the block runs; forget what it loads."""
    await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    try:
        yield
    finally:
        # The session may be broken: then the server forgets by itself.
        with suppress(psycopg.OperationalError):
            await session.execute("ROLLBACK")
            await session.execute(statements.fixed("empty_scratch"))


async def load(session: AsyncConnection, documents: Sequence[Prepared]) -> dict[int, State]:
    """Load documents into the session's own tables, inside a snapshot; return their end states.

    What the database refuses is left out, as the consumer leaves it out.

    Raises:
        psycopg.Error: the database is at fault, not a document.
    """
    if not documents:
        return {}
    requests = [LoadRequest(prepared.document) for prepared in documents]
    try:
        async with session.transaction():
            states = await load_batch(session, requests, is_private=True)
            await session.execute(statements.fixed("record_spoken"))
            await session.execute(statements.fixed("empty_staging"))
            return states
    except psycopg.Error as error:
        if not isinstance(mapped(error), Permanent):
            raise
    if len(documents) == 1:
        return {}
    middle = len(documents) // 2
    return await load(session, documents[:middle]) | await load(session, documents[middle:])
