"""Which objects there are: as the lake lists them, without the ledger, and what the ledger says."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from consumer.aws.s3 import Lake
from consumer.load import statements
from schemas.codes import State
from schemas.envelopes import ObjectEvent
from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.registry import Source

READERS = 8  # asked at once
_CACHED_DAYS = 64
_DAY_FOLDER = "busDt="

Row = dict[str, Any]


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
