"""The lake's documents as proofs read them: by the same contracts as the consumer.

What the ledger adds is the time and the sequencer of an object's event, which no listing has: they
decide between documents of equal version.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from consumer.aws.s3 import Lake, Outdated, ReadLimits
from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import Fetched, prepare
from consumer.load.document import Identity
from consumer.operate.proof.listing import READERS
from consumer.rows.row_writer import STAGE_PATCHES
from consumer.rows.tables import GUEST_CHECKS
from consumer.settings import ConsumerSettings
from schemas.aliases import Aliases
from schemas.envelopes import ObjectEvent
from schemas.layouts import DocumentKey

_ID_CELLS = {GUEST_CHECKS.stage: 3, STAGE_PATCHES: 4}  # where a COPY row has its check's id
_NO_BUDGET = 2**62  # bytes: few objects are held at a time, a large one in a file

Name = tuple[str, str]  # of an object: key and version
Read = Prepared | Permanent | None  # a document, why it is refused, or None if it is gone


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
    """Reads documents as the consumer does, several at once.

    Of those that were read last it keeps `kept_bytes` of rows, so that they can be asked for again.
    """

    def __init__(
        self, settings: ConsumerSettings, lake: Lake, aliases: Aliases, kept_bytes: int = 0
    ) -> None:
        self._settings, self._lake, self._aliases = settings, lake, aliases
        self._limits = ReadLimits(
            settings.max_object_bytes, settings.stream_above_bytes, _NO_BUDGET
        )
        self._threads = asyncio.Semaphore(settings.decode_threads)
        self._kept: OrderedDict[ObjectEvent, Read] = OrderedDict()
        self._kept_bytes, self._room_bytes = 0, kept_bytes

    async def read(self, found: LakeObject) -> Read:
        """Return a document, or why it is refused; None if it is not there any more.

        Raises:
            Transient: S3 does not answer.
        """
        event = found.announced
        if event not in self._kept:
            return self._keep(event, await self._read(found, event))
        self._kept.move_to_end(event)
        return self._kept[event]

    def _keep(self, event: ObjectEvent, read: Read) -> Read:
        self._kept[event] = read
        self._kept_bytes += _byte_count(read)
        while self._kept and self._kept_bytes > self._room_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= _byte_count(oldest)
        return read

    async def _read(self, found: LakeObject, event: ObjectEvent) -> Read:
        try:
            stored = await self._lake.fetch(found.event, self._limits)
        except Outdated:
            return None
        except Permanent as error:
            return error
        what = event, stored.version_id, stored.etag, stored.last_modified
        identity = Identity(*what, datetime.now(UTC), 1)
        fetched = Fetched(identity, found.key.source, found.key, stored.data)
        limit = self._settings.max_decompressed_bytes
        async with self._threads:
            try:
                return await asyncio.to_thread(prepare, fetched, self._aliases, limit)
            except Permanent as error:
                return error

    async def read_all(
        self, objects: Iterable[LakeObject]
    ) -> AsyncIterator[tuple[LakeObject, Read]]:
        """Yield objects with their documents, in their order; a few are read ahead."""
        waiting: list[tuple[LakeObject, asyncio.Task[Read]]] = []
        remaining = iter(objects)
        try:
            while True:
                while len(waiting) < READERS and (found := next(remaining, None)) is not None:
                    task = asyncio.create_task(self.read(found), name=f"read {found.event.key}")
                    waiting.append((found, task))
                if not waiting:
                    return
                found, task = waiting.pop(0)
                yield found, await task
        finally:
            for _, task in waiting:
                task.cancel()


def check_ids(prepared: Prepared, *, full_only: bool = False) -> Iterator[int]:
    """Give the ids of the checks that a document speaks of, as its rows tell; or tells in full."""
    for table, place in _ID_CELLS.items():
        spool = prepared.document.rows.tables.get(table)
        for line in spool.rewound() if spool and not (full_only and table == STAGE_PATCHES) else ():
            yield int(line.split(b"\t", place + 1)[place])


def _byte_count(read: Read) -> int:
    # Refused ones and those that are gone take some room, too.
    return 1 + (read.document.rows.byte_count if isinstance(read, Prepared) else 0)
