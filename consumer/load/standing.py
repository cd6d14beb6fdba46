"""Asks which of a document's records stand in the tables as its bytes say: they are not read."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from consumer.decoding.cutting import Cut
from consumer.documents.frames import Frame
from consumer.load import statements
from consumer.load.database import borrowed
from consumer.load.document import Identity

# The business days of the records that stand, by their positions in the document
Standing = Mapping[int, date | None]
# Asked of the records that were cut out of an object; raises ConsumerError when the
# database could not be asked.
FindStanding = Callable[[Identity, Frame, Cut], Awaitable[Standing]]


def standing_records(pool: AsyncConnectionPool) -> FindStanding:
    """Return the function that asks through a pool.

    What it answers may have changed once the document is loaded: there it is compared again.
    """

    async def find(identity: Identity, frame: Frame, cut: Cut) -> Standing:
        async with borrowed(pool) as session:
            return await find_standing(session, identity, frame, cut)

    return find


async def find_standing(
    session: AsyncConnection, identity: Identity, frame: Frame, cut: Cut
) -> Standing:
    """Ask through a session: of each check, or of a store-day list as a whole.

    Raises:
        psycopg.Error: unmapped, for whoever opened the session.
    """
    parameters: dict[str, Any] = {"store_id": frame.store_id}
    parameters |= zip(("bucket", "object_key", "version"), identity.key, strict=True)
    if cut.list_digest is not None:
        parameters |= {"source": frame.source.value, "bus_dt": frame.bus_dt}
        parameters |= {"digest": cut.list_digest}
        cursor = await session.execute(statements.fixed("find_standing_day"), parameters)
        stands = await cursor.fetchone() is not None
        return dict.fromkeys(range(len(cut.records)) if stands else ())
    if cut.ids is None:
        return {}
    parameters |= {"ids": f"{{{','.join(map(str, cut.ids))}}}", "digests": b"".join(cut.digests)}
    cursor = await session.execute(statements.fixed("find_standing"), parameters)
    return dict(await cursor.fetchall())
