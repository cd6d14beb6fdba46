"""Publishing: announcing objects that are already in the lake."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

import structlog

from producer.errors import LakeError
from producer.lake import Lake, LakeEntry
from producer.sending.announcing import Announcer
from producer.sending.upload_files import refuse_outside
from producer.tally import Tally
from schemas.keys import is_folder_marker
from schemas.layouts import OWN_LAYOUT, Layout

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects are announced."""

    prefix: str
    since: datetime | None = None  # only objects written since then
    pattern: str | None = None  # of the whole key, with `*`, `?` and `[…]`
    layout: Layout = OWN_LAYOUT  # how the keys of documents look; nothing else is announced

    def __post_init__(self) -> None:
        refuse_outside(self.layout, "--prefix", self.prefix)

    def takes(self, entry: LakeEntry) -> bool:
        """Return whether an object under the prefix is selected, if it is a document."""
        return (
            not is_folder_marker(entry.key)
            and (self.since is None or entry.last_modified >= self.since)
            and (self.pattern is None or fnmatchcase(entry.key, self.pattern))
        )


async def publish(
    selection: Selection,
    lake: Lake,
    announcer: Announcer | None,
    tally: Tally,
    tell: Callable[[LakeEntry], None],
) -> None:
    """Announce every object of the selection; without an announcer, a dry run.

    The tally's total grows with the listing. `tell` is called for each object.
    """
    try:
        async for batch in _batches(selection, lake):
            tally.total += len(batch)
            failures = await announcer.announce(batch) if announcer else [None] * len(batch)
            for entry, failure in zip(batch, failures, strict=True):
                if failure is None:
                    tally.add_stored(entry.size_bytes)
                    tell(entry)
                else:
                    tally.add_failure({"object": entry.key}, failure)
            if tally.stopped_by is not None:
                return
    except LakeError as error:
        tally.total += 1
        tally.add_failure({"object": f"{selection.prefix}…"}, error)


async def _batches(selection: Selection, lake: Lake) -> AsyncIterator[list[LakeEntry]]:
    batch: list[LakeEntry] = []
    foreign_count, foreign_key = 0, ""
    async for entry in lake.entries(selection.prefix):
        if not selection.takes(entry):
            continue
        if selection.layout.is_document(entry.key):
            batch.append(entry)
        else:
            foreign_count, foreign_key = foreign_count + 1, foreign_key or entry.key
        if len(batch) == 10:  # one call to SQS takes no more
            yield batch
            batch = []
    if batch:
        yield batch
    if foreign_count:
        remedy = "describe such keys in KEY_TEMPLATES if they are documents"
        log.warning("keys_not_recognized", objects=foreign_count, first=foreign_key, remedy=remedy)
