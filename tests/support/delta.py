"""Documents on their way into a warehouse that need not read what stands there."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from psycopg import AsyncConnection

from consumer.ingest.assembly import Prepared
from consumer.ingest.preparation import Preparation
from consumer.ingest.prepare import Fetched
from consumer.load.document import ChangedMeanwhile, StagedDocument
from consumer.load.standing import find_standing
from schemas.aliases import Aliases
from tests.support.samples import ALIASES, NO_LIMIT
from tests.support.tables import DATA_TABLES
from tests.support.warehouse import Warehouse, load_retrying

# Numbered anew in each database, or the time of a load; counted once per content.
_OWN = "object_id counted_object_id committed_at read_at first_loaded_at last_loaded_at content_digest digest digest_object_id"
_COUNTED = "counted_as_of counted_event_order record_counts field_counts"


def preparation(session: AsyncConnection, aliases: Aliases = ALIASES) -> Preparation:
    """Give what prepares documents of any size as the service does those of some size."""
    return Preparation(aliases, NO_LIMIT, 1, partial(find_standing, session), least_bytes=0)


def prepare_delta(
    warehouse: Warehouse, fetched: Fetched, aliases: Aliases = ALIASES, session: int = 0
) -> Prepared:
    """Prepare a document, unread what stands of it."""
    ready = preparation(warehouse.sessions[session], aliases)
    return warehouse.runner.run(ready.prepare(fetched))


async def load_delta(session: AsyncConnection, batch: Iterable[Fetched]) -> None:
    """Prepare and load a batch, in full what has changed meanwhile, as the service does."""
    ready = preparation(session)
    documents: dict[int, tuple[Fetched, StagedDocument]] = {}
    for fetched in batch:
        document = (await ready.prepare(fetched)).document
        documents[document.number] = fetched, document
    while True:
        try:
            await load_retrying(session, [document for _, document in documents.values()])
        except ChangedMeanwhile as changed:
            for number in changed.numbers:
                fetched, _ = documents.pop(number)
                document = (await ready.prepare(fetched, in_full=True)).document
                documents[document.number] = fetched, document
        else:
            return


def told(warehouse: Warehouse, stores: Iterable[str]) -> dict[str, list[Any]]:
    """Return all that the tables say of stores, but for numbers, times of loads and drift."""
    wanted, objects = list(stores), "SELECT object_id, object_key, version FROM ingested_objects"
    left_out = "{" + ",".join((_OWN + " " + _COUNTED).split()) + "}"
    return {
        table: warehouse.query(
            "SELECT regexp_replace((to_jsonb(t) - %s::text[])::text, '\"object_id\": [0-9]+', '', 'g')"
            f" AS row, o.object_key, o.version FROM {table} AS t"
            f" LEFT JOIN ({objects}) AS o ON to_jsonb(t) ->> 'object_id' = o.object_id::text"
            " WHERE t.store_id = ANY (%s) ORDER BY 1, 2, 3",
            left_out,
            wanted,
        )
        for table in (*DATA_TABLES, "store_days", "check_patches", "ingested_objects")
    }
