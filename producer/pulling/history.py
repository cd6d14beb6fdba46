"""The newest answer of each store and day in the lake, listed along with the run.

A year costs one request per thousand objects, and memory holds one day.
"""

import asyncio
from collections.abc import AsyncIterator
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
    """The answers of one endpoint in the lake; ask for days in ascending order.

    Going back to an earlier day works, and lists that day again.
    """

    def __init__(self, lake: Lake, source: Source) -> None:
        self._lake = lake
        self._prefix = f"{API_PREFIX}{source.value}/busDt="
        # The lock is fair: all who ask for a day get it before those who ask for the next.
        self._lock = asyncio.Lock()
        self._day: date | None = None
        self._newest: dict[str, StoredAnswer] = {}
        self._listing: AsyncIterator[LakeEntry]
        self._ahead: LakeEntry | None = None  # listed already, of a later day

    async def newest(self, bus_dt: date, store_id: str) -> StoredAnswer | None:
        """Return the newest answer in the lake; raises a LakeError if it cannot be listed."""
        async with self._lock:
            if bus_dt != self._day:
                await self._read(bus_dt)
            return self._newest.get(store_id)

    async def _read(self, bus_dt: date) -> None:
        if self._day is None or bus_dt < self._day:
            after = f"{self._prefix}{bus_dt.isoformat()}/"
            self._listing = self._lake.entries(self._prefix, after)
            self._ahead = None
        # No day is known until it is complete: after a failure halfway it is listed again.
        self._day, self._newest = None, {}
        while entry := self._ahead or await anext(self._listing, None):
            self._ahead = entry
            if entry.key[len(self._prefix) :].partition("/")[0] > bus_dt.isoformat():
                break
            self._keep_newer(entry, bus_dt)
            self._ahead = None
        self._day = bus_dt

    def _keep_newer(self, entry: LakeEntry, bus_dt: date) -> None:
        identity = parse_key(entry.key)
        if not isinstance(identity, ApiKey) or identity.bus_dt != bus_dt or not entry.size_bytes:
            return
        answer = StoredAnswer(entry.key, _pulled_at(entry))
        known = self._newest.get(identity.store_id)
        if known is None or answer.pulled_at >= known.pulled_at:
            self._newest[identity.store_id] = answer


def _pulled_at(entry: LakeEntry) -> datetime:
    name = entry.key.rpartition("/")[2].partition(".json")[0]
    try:
        return datetime.strptime(name, _KEY_TIME).replace(tzinfo=UTC)
    except ValueError:  # put there by hand, under some other name
        return entry.last_modified
