"""`consumer rebuild`: from an empty database to all tables, by what the lake has kept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import Annotated

import typer
from psycopg import AsyncConnection

from consumer.aws.clients import soon
from consumer.aws.s3 import Lake, open_lake
from consumer.aws.sqs import Queue, open_queues
from consumer.load.database import open_session
from consumer.operate.proof.listing import Ledger, Listing, entry_of
from consumer.operate.reconcile import announce
from consumer.operate.verify.command import run_verify
from consumer.operate.verify.plan import Chosen
from consumer.settings import ConsumerSettings
from runtime.errors import EXIT_FAILED
from runtime.terminal import Advance, finish, progress, reported_errors, settings_of, tell
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey
from schemas.layouts import Layout
from schemas.registry import ENDPOINTS

_POLL_SECONDS = 1.0
_STALL_SECONDS = 30.0
_GROUP = 10  # events sent at once
_FORGOTTEN_ROUNDS = 60  # with an empty queue; then the proof names what did not come

Page = list[ObjectEvent]


def rebuild(
    *,
    rate: Annotated[
        int, typer.Option(min=1, help="Announce at most so many objects a second.")
    ] = 200,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not prove the tables at the end.")
    ] = False,
) -> None:
    """Fill empty tables from the lake: migrate, announce every object by business day, verify.

    Consumers must be running: they load what is announced. Safe to interrupt and to repeat: what
    has a ledger row is not announced again. Exits 1 if the tables do not say what the lake says.
    """
    from consumer.load.migrations.migrate import migrate  # noqa: PLC0415 - Alembic costs a second

    settings = settings_of(ConsumerSettings)
    with reported_errors():
        migrate(settings)
    with progress("rebuilding", None) as advance:
        done = finish(_Rebuilding(settings, rate, advance).run())
    tell(f"{done.objects} objects, {done.store_days} store-days in {done.seconds:.0f} s: {done}")
    if not no_verify and not run_verify(settings, Chosen(), settled_minutes=0).is_equal:
        raise typer.Exit(EXIT_FAILED)


@dataclass(frozen=True, slots=True)
class Done:
    """What was announced and loaded."""

    objects: int
    store_days: int
    seconds: float

    def __str__(self) -> str:
        """Write how fast it went."""
        return f"{self.store_days * 60 / max(self.seconds, 0.1):.0f} store-days a minute"


class _Rebuilding:
    """Announces what the ledger does not know, and waits until it is loaded."""

    def __init__(self, settings: ConsumerSettings, rate: int, advance: Advance) -> None:
        self._settings, self._rate, self._advance = settings, rate, advance
        self._total = self._sent = self._settled = 0
        self._settled_at = monotonic()

    async def run(self) -> Done:
        settings, began = self._settings, monotonic()
        async with (
            open_queues(settings) as queues,
            open_lake(settings, 1) as lake,
            open_session(settings) as session,
        ):
            await soon(lake.ping(), f"asking for bucket {settings.bucket_name}")
            # What has to be done is counted first, so that the time that remains can be told.
            async for page in self._unknown(lake, session):
                self._total += len(page)
            async for page in self._unknown(lake, session):
                await self._send(page, queues.main)
            await self._loaded(lake, session, queues.main)
            cursor = await session.execute("SELECT count(*) FROM store_days")
            [store_days] = await cursor.fetchone() or [0]
        return Done(self._sent, store_days, monotonic() - began)

    async def _loaded(self, lake: Lake, session: AsyncConnection, queue: Queue) -> None:
        """Wait until all is in the ledger; SQS's own counts are approximate."""
        for _ in range(_FORGOTTEN_ROUNDS):
            for _ in count():
                if not await self._remaining(queue):
                    break
                await asyncio.sleep(_POLL_SECONDS)
            if not [event async for page in self._unknown(lake, session) for event in page[:1]]:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _unknown(self, lake: Lake, session: AsyncConnection) -> AsyncIterator[Page]:
        """Yield the documents without a ledger row, those of the first business day first."""
        ledger = Ledger(session, self._settings.bucket_name)
        async for page in pages_by_day(lake, self._settings.layout):
            entries = await ledger.entries(event.key for event in page)
            yield [event for event in page if not entry_of(event, entries.get(event.key, ()))]

    async def _send(self, page: Page, queue: Queue) -> None:
        for start in range(0, len(page), _GROUP):
            began = monotonic()
            group = page[start : start + _GROUP]
            async for _ in announce(group, queue):
                self._sent += 1
            if self._sent % self._rate < _GROUP:
                await self._remaining(queue)
            await asyncio.sleep(max(0.0, len(group) / self._rate - (monotonic() - began)))

    async def _remaining(self, queue: Queue) -> bool:
        """Tell how far the consumers are; return whether any of it still waits."""
        depth = await soon(queue.depth(), f"asking about {self._settings.queue_url}")
        settled = max(self._settled, self._sent - depth.total)
        if settled > self._settled:
            self._settled, self._settled_at = settled, monotonic()
        elif depth.total and monotonic() - self._settled_at > _STALL_SECONDS:
            tell(f"nothing was loaded for {_STALL_SECONDS:.0f} s: is a consumer running?")
            self._settled_at = monotonic()
        self._advance(settled, max(self._total, self._sent))
        return depth.total > 0


async def pages_by_day(lake: Lake, layout: Layout) -> AsyncIterator[Page]:
    """Yield all documents of a lake, older versions too: answers by day, then what has none.

    Raises:
        ConsumerError: S3 could not be asked.
    """
    listing = Listing(lake)
    sources = [endpoint.source for endpoint in ENDPOINTS]
    for day in sorted(await listing.days(sources)):
        for source in sources:
            stores = (await listing.answers(source, day)).values()
            yield [event for answers in stores for event, _ in answers]
    for prefix in layout.free_prefixes:
        async for page in lake.versions(prefix):
            keys = [(event, layout.read(event.key)) for event in page]
            yield [event for event, key in keys if key and not isinstance(key, ApiKey)]
