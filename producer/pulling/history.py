"""The newest answer of each store and day in the lake, and whether it is current.

Listed along with the run: a year costs one request per thousand objects, memory holds one day.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from producer.lake import Lake, LakeEntry
from producer.settings import Settings
from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.registry import Source


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The newest answer under one store-day's prefix."""

    key: str
    pulled_at: datetime


class BusinessDays:
    """The stores' calendar."""

    def __init__(self, settings: Settings) -> None:
        self._behind_utc = timedelta(
            hours=settings.business_day_end_hour - settings.store_utc_offset_hours
        )
        self._correction_days = timedelta(days=settings.pull_correction_days)
        self._resume_within = timedelta(seconds=settings.pull_resume_within_seconds)

    def day_of(self, moment: datetime) -> date:
        """Return the current business date at an aware time."""
        return (moment - self._behind_utc).date()

    def is_current(self, pulled_at: datetime, bus_dt: date, now: datetime) -> bool:
        """Return whether an answer is final, or was pulled after its day and is fresh.

        Fresh ones are not asked for again, so that an interrupted run resumes where it stopped.
        """
        pulled_at = min(pulled_at, now)
        if self.day_of(pulled_at) <= bus_dt:
            return False
        if self.day_of(pulled_at) - self._correction_days > bus_dt:
            return True
        return now - pulled_at < self._resume_within


class History:
    """The answers of one endpoint in the lake; an earlier day than the last is listed again."""

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
    try:  # as `schemas.keys.api_key` writes it
        return datetime.strptime(name, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    except ValueError:  # put there by hand, under some other name
        return entry.last_modified
