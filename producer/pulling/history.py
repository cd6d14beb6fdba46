"""What the lake already holds: the newest answer of each store, day and endpoint.

The lake is the only state. It is listed along with the run, page by page and day by day, so a
year costs one page per thousand objects, and memory holds one day.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime

from producer.lake import Lake, LakeEntry
from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.registry import Source

_KEY_TIME = "%Y%m%dT%H%M%S.%fZ"  # as `schemas.keys.api_key` writes it


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The newest answer under one store-day's prefix."""

    key: str
    pulled_at: datetime


class History:
    """The answers in the lake; ask for days in ascending order.

    Going back to an earlier day works, and lists that day again.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._cursors: dict[Source, _Cursor] = {}

    async def newest(self, source: Source, bus_dt: date, store_id: str) -> StoredAnswer | None:
        """Return the newest answer in the lake, None when there is none.

        Raises:
            LakeError: The lake could not be listed; the next call resumes the listing.
        """
        cursor = self._cursors.setdefault(source, _Cursor(self._lake, source))
        return await cursor.newest(bus_dt, store_id)


class _Cursor:
    """The position in one endpoint's listing."""

    def __init__(self, lake: Lake, source: Source) -> None:
        self._lake = lake
        self._prefix = f"{API_PREFIX}{source.value}/busDt="
        # The lock is fair: all who ask for a day get it before those who ask for the next.
        self._lock = asyncio.Lock()
        self._day: date | None = None
        self._newest: dict[str, StoredAnswer] = {}
        self._ahead: deque[LakeEntry] = deque()
        self._after = self._prefix
        self._ended = False

    async def newest(self, bus_dt: date, store_id: str) -> StoredAnswer | None:
        async with self._lock:
            if self._day is None or bus_dt < self._day:
                self._rewind(bus_dt)
            if bus_dt != self._day:
                await self._read(bus_dt)
            return self._newest.get(store_id)

    def _rewind(self, bus_dt: date) -> None:
        self._day = None
        self._ahead.clear()
        self._after = f"{self._prefix}{bus_dt.isoformat()}/"
        self._ended = False

    async def _read(self, bus_dt: date) -> None:
        # No day is known until it is complete: after a failure halfway it is read again.
        self._day = None
        found: dict[str, StoredAnswer] = {}
        while True:
            while self._ahead and self._day_of(self._ahead[0]) <= bus_dt.isoformat():
                _keep_newer(found, self._ahead.popleft(), bus_dt)
            if self._ahead or self._ended:
                break
            page = await self._lake.list_page(self._prefix, self._after)
            self._ended = page.is_last or not page.entries
            if page.entries:
                self._after = page.entries[-1].key
                self._ahead.extend(page.entries)
        self._day, self._newest = bus_dt, found

    def _day_of(self, entry: LakeEntry) -> str:
        return entry.key[len(self._prefix) :].partition("/")[0]


def _keep_newer(found: dict[str, StoredAnswer], entry: LakeEntry, bus_dt: date) -> None:
    identity = parse_key(entry.key)
    if not isinstance(identity, ApiKey) or identity.bus_dt != bus_dt or not entry.size_bytes:
        return
    answer = StoredAnswer(entry.key, _pulled_at(entry))
    known = found.get(identity.store_id)
    if known is None or answer.pulled_at >= known.pulled_at:
        found[identity.store_id] = answer


def _pulled_at(entry: LakeEntry) -> datetime:
    name = entry.key.rpartition("/")[2].partition(".json")[0]
    try:
        return datetime.strptime(name, _KEY_TIME).replace(tzinfo=UTC)
    except ValueError:  # put there by hand, under some other name
        return entry.last_modified
