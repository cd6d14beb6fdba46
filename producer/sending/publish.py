"""Publishing: announcing objects that are already in the lake."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

import structlog

from producer.errors import LakeError, QueueError
from producer.lake import Lake, LakeEntry
from producer.rate_limit import RateLimit
from producer.sending.announcing import BATCH_SIZE, Queue, event_body
from producer.sending.upload_files import refuse_outside
from producer.tally import Tally
from schemas.key_templates import OWN_LAYOUT, Layout

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects are announced.

    Attributes:
        prefix: Prefix of their keys.
        since: Only objects written since then; None for any time.
        pattern: Pattern of the whole key, with `*`, `?` and `[…]`; None for any.
        layout: How the keys of documents look; nothing else is announced.
    """

    prefix: str
    since: datetime | None = None
    pattern: str | None = None
    layout: Layout = OWN_LAYOUT

    def __post_init__(self) -> None:
        refuse_outside(self.layout, "--prefix", self.prefix)

    def takes(self, entry: LakeEntry) -> bool:
        """Return whether an object under the prefix is selected."""
        return (
            self.layout.is_document(entry.key)
            and (self.since is None or entry.last_modified >= self.since)
            and (self.pattern is None or fnmatchcase(entry.key, self.pattern))
        )


@dataclass(frozen=True, slots=True)
class Announcer:
    """Where to send events, and how fast.

    Attributes:
        queue: Where events go; None sends nothing.
        bucket: The lake's bucket.
        per_second: Events per second at most.
    """

    queue: Queue | None
    bucket: str
    per_second: float


async def publish(
    selection: Selection,
    lake: Lake,
    announcer: Announcer,
    tally: Tally,
    tell: Callable[[LakeEntry], None],
) -> None:
    """Announce every object of the selection; repeating it changes nothing in the tables.

    Args:
        selection: Which objects.
        lake: Listed page by page.
        announcer: Where to send events, and how fast.
        tally: Counts every object; its total grows with the listing.
        tell: Called for each object that was announced, or would be.
    """
    rate_limit = RateLimit(announcer.per_second)
    try:
        async for batch in _batches(selection, lake):
            tally.total += len(batch)
            await rate_limit.turn(len(batch))
            await _announce(batch, announcer, tally, tell)
            if tally.stopped_by is not None:
                return
    except LakeError as error:
        tally.total += 1
        tally.add_failure({"object": f"{selection.prefix}…"}, error)


async def _announce(
    batch: list[LakeEntry], announcer: Announcer, tally: Tally, tell: Callable[[LakeEntry], None]
) -> None:
    failures: list[QueueError | None] = [None] * len(batch)
    if announcer.queue is not None:
        bodies = [event_body(entry, announcer.bucket) for entry in batch]
        failures = await announcer.queue.send(bodies)
    for entry, failure in zip(batch, failures, strict=True):
        if failure is None:
            tally.add_stored(entry.size_bytes)
            tell(entry)
        else:
            tally.add_failure({"object": entry.key}, failure)


async def _batches(selection: Selection, lake: Lake) -> AsyncIterator[list[LakeEntry]]:
    after, batch, foreign = "", list[LakeEntry](), list[str]()
    while True:
        page = await lake.list_page(selection.prefix, after)
        foreign += (one.key for one in page.entries if selection.layout.read(one.key) is None)
        for entry in filter(selection.takes, page.entries):
            batch.append(entry)
            if len(batch) == BATCH_SIZE:
                yield batch
                batch = []
        if page.is_last or not page.entries:
            break
        after = page.entries[-1].key
    if batch:
        yield batch
    if foreign:
        remedy = "describe such keys in KEY_TEMPLATES if they are documents"
        log.warning("keys_not_recognized", objects=len(foreign), first=foreign[0], remedy=remedy)
