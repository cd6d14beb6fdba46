"""Which objects have no ledger row because `consumer prune` dropped it: nobody need miss them."""

from collections.abc import Iterable
from typing import Any

from psycopg import AsyncConnection

from consumer.load import statements
from schemas.envelopes import ObjectEvent
from schemas.key_templates import DocumentKey
from schemas.keys import ApiKey


async def pruned_keys(
    session: AsyncConnection[Any], objects: Iterable[tuple[ObjectEvent, DocumentKey | None]]
) -> set[str]:
    """Return the keys of those that may have been pruned: old answers of store-days that stand.

    Raises:
        psycopg.Error: PostgreSQL could not be asked.
    """
    answers = [(event, key) for event, key in objects if isinstance(key, ApiKey)]
    if not answers:
        return set()
    asked = {
        "keys": [event.key for event, _ in answers],
        "written": [event.event_time for event, _ in answers],
        "sources": [key.source.value for _, key in answers],
        "stores": [key.store_id for _, key in answers],
        "days": [key.bus_dt for _, key in answers],
    }
    cursor = await session.execute(statements.fixed("find_pruned"), asked)
    return {key for (key,) in await cursor.fetchall()}
