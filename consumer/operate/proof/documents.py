"""The lake's documents as proofs read them: listed without the ledger, read by the same contracts.

What the ledger adds is the time and the sequencer of an object's event, which no listing has: they
decide between documents of equal version.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from consumer.aws.s3 import Lake, Outdated, ReadLimits
from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import Fetched, prepare
from consumer.load import statements
from consumer.load.document import Identity
from consumer.rows.row_writer import STAGE_PATCHES
from consumer.rows.tables import GUEST_CHECKS
from consumer.settings import ConsumerSettings
from schemas.aliases import Aliases
from schemas.codes import State
from schemas.envelopes import ObjectEvent
from schemas.key_templates import DocumentKey
from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.registry import Source

READERS = 8  # objects fetched at once
_ID_CELLS = {GUEST_CHECKS.stage: 3, STAGE_PATCHES: 4}  # where a COPY row has its check's id
_NO_BUDGET = 2**62  # bytes: one object is held at a time, a large one in a file
_CACHED_DAYS = 64
_DAY_FOLDER = "busDt="

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LakeObject:
    """An object version of the lake, and what the ledger says of it, if anything."""

    event: ObjectEvent
    key: DocumentKey
    entry: Mapping[str, Any] | None = None

    @property
    def name(self) -> tuple[str, str]:
        """What tells it apart: its key and version."""
        return self.event.key, self.event.version_id or self.event.etag or ""


class Reading:
    """Reads documents as the consumer does, several at once."""

    def __init__(self, settings: ConsumerSettings, lake: Lake, aliases: Aliases) -> None:
        self._settings, self._lake, self._aliases = settings, lake, aliases
        self._limits = ReadLimits(
            settings.max_object_bytes, settings.stream_above_bytes, _NO_BUDGET
        )
        self._threads = asyncio.Semaphore(settings.decode_threads)

    async def read(self, found: LakeObject) -> Prepared | Permanent | None:
        """Return a document, or why it is refused; None if it is not there any more.

        Raises:
            Transient: S3 does not answer.
        """
        try:
            stored = await self._lake.fetch(found.event, self._limits)
        except Outdated:
            return None
        except Permanent as error:
            return error
        known = found.entry or {}
        event = replace(
            found.event,
            event_time=known.get("event_time") or found.event.event_time,
            sequencer=known.get("sequencer"),
        )
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
    ) -> AsyncIterator[tuple[LakeObject, Prepared | Permanent | None]]:
        """Yield objects with their documents, in their order; a few are read ahead."""
        waiting: list[tuple[LakeObject, asyncio.Task[Prepared | Permanent | None]]] = []
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


class Listing:
    """Lists the answers of days, in our own layout, and remembers the last of them."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._days: dict[tuple[Source, date], dict[str, list[tuple[ObjectEvent, ApiKey]]]] = {}
        self._folders: dict[Source, set[date]] = {}

    async def days(self, sources: Iterable[Source]) -> set[date]:
        """Return the days that have a folder."""
        for source in sources:
            found = self._folders[source] = set[date]()
            for folder in await self._lake.folders(f"{API_PREFIX}{source}/"):
                try:
                    found.add(date.fromisoformat(folder.removeprefix(_DAY_FOLDER).rstrip("/")))
                except ValueError:
                    continue  # no day of ours: its objects are none either
        return set().union(*self._folders.values())

    async def list_ahead(self, places: Iterable[tuple[Source, date]]) -> None:
        """List days, several at once."""
        remaining = iter([*places])

        async def work() -> None:
            for source, day in remaining:
                await self.answers(source, day)

        await asyncio.gather(*(work() for _ in range(READERS)))

    async def answers(
        self, source: Source, day: date, *, anew: bool = False
    ) -> Mapping[str, Sequence[tuple[ObjectEvent, ApiKey]]]:
        """Return all versions of a day's answers by store; `anew`: not what was listed before."""
        if not anew and day not in self._folders.get(source, {day}):
            return {}
        if anew or (source, day) not in self._days:
            while len(self._days) >= _CACHED_DAYS:
                self._days.pop(next(iter(self._days)))
            self._days[source, day] = await self._list(source, day)
        return self._days[source, day]

    async def _list(self, source: Source, day: date) -> dict[str, list[tuple[ObjectEvent, ApiKey]]]:
        found: defaultdict[str, list[tuple[ObjectEvent, ApiKey]]] = defaultdict(list)
        prefix = f"{API_PREFIX}{source}/{_DAY_FOLDER}{day.isoformat()}/"
        async for page in self._lake.versions(prefix):
            for event in page:
                key = parse_key(event.key)
                if isinstance(key, ApiKey):
                    found[key.store_id.strip()].append((event, key))
        return dict(found)


class Ledger:
    """What the ledger says of objects, in a snapshot of the tables."""

    def __init__(self, session: AsyncConnection[Any], bucket: str) -> None:
        self._session, self._bucket = session, bucket

    async def entries(self, keys: Iterable[str]) -> dict[str, list[Row]]:
        """Return the entries of the versions of some keys."""
        found: defaultdict[str, list[Row]] = defaultdict(list)
        asked = {"bucket": self._bucket, "keys": sorted(set(keys))}
        async with self._session.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(statements.fixed("find_entries"), asked)
            async for row in cursor:
                found[row["object_key"]].append(row)
        return found


def entry_of(event: ObjectEvent, entries: Iterable[Row]) -> Row | None:
    """Return a version's own entry: by its id if both have one, else by its content."""
    own = [
        entry
        for entry in entries
        if (
            entry["version_id"] == event.version_id
            if entry["version_id"] and event.version_id
            else entry["etag"] == event.etag
        )
    ]
    return max(own, key=lambda entry: entry["was_read"], default=None)


def has_no_say(entry: Mapping[str, Any] | None) -> bool:
    """Say whether an object was overwritten before anybody read it: the newer one has its say."""
    return bool(entry and entry["state"] == State.SUPERSEDED and not entry["was_read"])


def check_ids(prepared: Prepared, *, full_only: bool = False) -> Iterator[int]:
    """Give the ids of the checks that a document speaks of, as its rows tell; or tells in full."""
    for table, place in _ID_CELLS.items():
        spool = prepared.document.rows.tables.get(table)
        for line in spool.rewound() if spool and not (full_only and table == STAGE_PATCHES) else ():
            yield int(line.split(b"\t", place + 1)[place])
