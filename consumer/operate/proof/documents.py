"""The lake's documents as proofs read them: by the same contracts as the consumer.

What the ledger adds is the time and the sequencer of an object's event, which no listing has: they
decide between documents of equal version.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from psycopg import AsyncConnection

from consumer.aws.s3 import Lake, Outdated, ReadLimits
from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.ingest.preparation import Preparation
from consumer.ingest.prepare import Fetched, open_unread
from consumer.load.document import Identity
from consumer.load.standing import find_standing
from consumer.operate.proof.listing import READERS
from consumer.rows.row_writer import STAGE_PATCHES, STAGE_UNCHANGED
from consumer.rows.tables import GUEST_CHECKS
from consumer.settings import ConsumerSettings
from consumer.spool import Spool
from schemas.aliases import Aliases
from schemas.envelopes import ObjectEvent
from schemas.layouts import DocumentKey

_ID_CELLS = {
    GUEST_CHECKS.stage: 3,
    STAGE_UNCHANGED: 3,
    STAGE_PATCHES: 4,
}  # where a COPY row has its check's id
_NO_BUDGET = 2**62  # bytes: few objects are held at a time, a large one in a file

Name = tuple[str, str]  # of an object: key and version
# An object, or a document; why it is refused; or None if it is gone.
Found = Fetched | Permanent | None
Read = Prepared | Permanent | None
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LakeObject:
    """An object version of the lake, and what the ledger says of it, if anything."""

    event: ObjectEvent
    key: DocumentKey
    entry: Mapping[str, Any] | None = None

    @property
    def name(self) -> Name:
        """What tells it apart."""
        return name_of(self.event)

    @property
    def announced(self) -> ObjectEvent:
        """The event as the ledger has it, since a listing knows neither time nor sequencer."""
        known = self.entry or {}
        time = known.get("event_time") or self.event.event_time
        return replace(self.event, event_time=time, sequencer=known.get("sequencer"))


def name_of(event: ObjectEvent) -> Name:
    """Return what tells an object version apart."""
    return event.key, event.version_id or event.etag or ""


class Reading:
    """Fetches and reads documents as the consumer does, several at once.

    Of those that were fetched last it keeps `kept_bytes`, so that they are not fetched again.
    """

    def __init__(
        self, settings: ConsumerSettings, lake: Lake, aliases: Aliases, kept_bytes: int = 0
    ) -> None:
        self._lake, self._aliases = lake, aliases
        limits = settings.max_object_bytes, settings.stream_above_bytes, _NO_BUDGET
        self._limits, self._max_bytes = ReadLimits(*limits), settings.max_decompressed_bytes
        self._in_full = Preparation(aliases, self._max_bytes, settings.decode_threads)
        self._kept: OrderedDict[ObjectEvent, Found] = OrderedDict()
        self._kept_bytes, self._room_bytes = 0, kept_bytes

    async def fetch(self, one: LakeObject) -> Found:
        """Return an object, or why it is refused; None if it is not there any more.

        Raises:
            Transient: S3 does not answer.
        """
        event = one.announced
        if event in self._kept:
            self._kept.move_to_end(event)
            return self._kept[event]
        found = self._kept[event] = await self._fetch(one, event)
        self._kept_bytes += _byte_count(found)
        while self._kept and self._kept_bytes > self._room_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= _byte_count(oldest)
        return found

    async def _fetch(self, one: LakeObject, event: ObjectEvent) -> Found:
        try:
            stored = await self._lake.fetch(one.event, self._limits)
        except Outdated:
            return None
        except Permanent as error:
            return error
        what = event, stored.version_id, stored.etag, stored.last_modified
        identity = Identity(*what, datetime.now(UTC), 1)
        return Fetched(identity, one.key.source, one.key, stored.data)

    async def read(self, one: LakeObject) -> Read:
        """Return a document, or why it is refused; None if it is not there any more.

        Raises:
            Transient: S3 does not answer.
        """
        return await _prepared(await self.fetch(one), self._in_full)

    async def check_ids(self, one: LakeObject) -> AbstractSet[int]:
        """Return the ids of the checks that an object speaks of; reads no more than that takes.

        Raises:
            Transient: S3 does not answer.
        """
        found = await self.fetch(one)
        if not isinstance(found, Fetched):
            return frozenset()
        opened = await asyncio.to_thread(open_unread, found, self._aliases, self._max_bytes)
        if opened and opened.cut.ids is not None:
            return frozenset(opened.cut.ids)
        prepared = await _prepared(found, self._in_full)
        return frozenset(check_ids(prepared) if isinstance(prepared, Prepared) else ())

    async def read_all(
        self, objects: Iterable[LakeObject]
    ) -> AsyncIterator[tuple[LakeObject, Read]]:
        """Yield objects with their documents, in their order; a few are read ahead."""
        async for one, read in _ahead(objects, self.read):
            yield one, read

    async def read_in_turn(
        self, objects: Iterable[LakeObject], session: AsyncConnection
    ) -> AsyncIterator[tuple[LakeObject, Read]]:
        """Yield likewise, each read when its turn comes: checks that stand by then are not.

        What stands is what `session` sees; a few objects are fetched ahead.
        """
        rest = replace(self._in_full, find_standing=partial(find_standing, session))
        async for one, found in _ahead(objects, self.fetch):
            yield one, await _prepared(found, rest)


async def _prepared(found: Found, preparation: Preparation) -> Read:
    if not isinstance(found, Fetched):
        return found
    try:
        return await preparation.prepare(found)
    except Permanent as error:
        return error


async def _ahead(
    objects: Iterable[LakeObject], work: Callable[[LakeObject], Coroutine[None, None, _T]]
) -> AsyncIterator[tuple[LakeObject, _T]]:
    """Yield objects with what work makes of them, in their order; a few are in work at once."""
    waiting: deque[tuple[LakeObject, asyncio.Task[_T]]] = deque()
    remaining = iter(objects)
    try:
        while True:
            while len(waiting) < READERS and (one := next(remaining, None)) is not None:
                waiting.append((one, asyncio.create_task(work(one), name=f"read {one.event.key}")))
            if not waiting:
                return
            one, task = waiting.popleft()
            yield one, await task
    finally:
        for _, task in waiting:
            task.cancel()


def check_ids(prepared: Prepared, *, full_only: bool = False) -> Iterator[int]:
    """Give the ids of the checks that a document speaks of, as its rows tell; or tells in full."""
    for table, place in _ID_CELLS.items():
        spool = prepared.document.rows.tables.get(table)
        for line in spool.rewound() if spool and not (full_only and table == STAGE_PATCHES) else ():
            yield int(line.split(b"\t", place + 1)[place])


def _byte_count(found: Found) -> int:
    if not isinstance(found, Fetched):
        return 1  # refused ones and those that are gone take some room, too
    return found.data.byte_count if isinstance(found.data, Spool) else len(found.data)
