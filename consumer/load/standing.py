"""Asks which of a document's checks stand in the tables as its bytes say: they need not be read."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from consumer.documents.cutting import Cut
from consumer.load import statements
from consumer.load.database import borrowed
from consumer.load.document import Identity

# The business days of checks that stand, by their positions in the document
Standing = Mapping[int, date | None]
# Asked of the checks that were cut out of an object of a store; raises ConsumerError when the
# database could not be asked.
FindStanding = Callable[[Identity, str, Cut], Awaitable[Standing]]


def standing_checks(pool: AsyncConnectionPool) -> FindStanding:
    """Return the function that asks through a pool.

    What it answers may have changed once the document is loaded: there it is compared again.
    """

    async def find(identity: Identity, store_id: str, cut: Cut) -> Standing:
        async with borrowed(pool) as session:
            return await find_standing(session, identity, store_id, cut)

    return find


async def find_standing(
    session: AsyncConnection, identity: Identity, store_id: str, cut: Cut
) -> Standing:
    """Ask through a session; raises psycopg.Error."""
    if cut.ids is None:
        return {}
    bucket, object_key, version = identity.key
    parameters = {
        "ids": list(cut.ids),
        "digests": list(cut.digests),
        "store_id": store_id,
        "bucket": bucket,
        "object_key": object_key,
        "version": version,
    }
    cursor = await session.execute(statements.fixed("find_standing"), parameters)
    return dict(await cursor.fetchall())
