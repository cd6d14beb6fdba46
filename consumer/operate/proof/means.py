"""What proofs work with: the lake, what the ledger says, and sessions to compare in."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg import AsyncConnection

from consumer.aws.s3 import open_lake
from consumer.drift.renames import read_aliases
from consumer.load.database import open_session
from consumer.operate.proof.documents import Reading
from consumer.operate.proof.free_documents import FreeDocuments
from consumer.operate.proof.listing import READERS, Listing
from consumer.operate.proof.scratch import open_scratch
from consumer.settings import ConsumerSettings
from schemas.registry import Source

Place = tuple[str, date | None]  # store and day; no day: checks that do not say when they opened


@dataclass(frozen=True)
class Means:
    """What proofs work with; `later` is a session that sees the ledger as it is now."""

    session: AsyncConnection[Any]
    later: AsyncConnection[Any]
    listing: Listing
    reading: Reading
    free: FreeDocuments
    bucket: str
    sources: Sequence[Source]
    settled: timedelta  # objects that are younger may still be under way

    @property
    def check_sources(self) -> list[Source]:
        """The sources that hold checks, if they are asked for."""
        return [source for source in self.sources if source.holds_checks]


@asynccontextmanager
async def open_means(
    settings: ConsumerSettings,
    stores: frozenset[str],
    sources: Collection[Source],
    settled: timedelta,
    *,
    kept_bytes: int = 0,
) -> AsyncIterator[Means]:
    """Open what proofs of some stores (none: of all) work with; all exports are read once.

    `kept_bytes`: of rows of the documents that were read last, which are not fetched again.

    Raises:
        ConsumerError: a server does not answer or refuses us, also to a query of the block.
    """
    aliases = read_aliases(settings.schema_aliases_file)
    # A check is in answers and in exports, whichever of them was asked for.
    holds_checks = any(source.holds_checks for source in sources)
    asked = [one for one in Source if one in sources or (holds_checks and one.holds_checks)]
    async with (
        open_lake(settings, READERS) as lake,
        open_scratch(settings) as session,
        open_session(settings) as later,
    ):
        reading = Reading(settings, lake, aliases, kept_bytes)
        free = FreeDocuments(session, lake, settings.layout, reading, stores, asked)
        bucket = settings.bucket_name
        await free.list_all()
        yield Means(session, later, Listing(lake), reading, free, bucket, asked, settled)
