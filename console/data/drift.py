"""What changed upstream: worked out from all store-days, so seldom, and once for all who look."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from console.data.database import Database, Row
from console.settings import ConsoleSettings
from consumer.errors import ConsumerError
from consumer.operate.drift_report import read_drift

_FRESH = timedelta(minutes=5)
_WAIT_SECONDS = 0.2  # small tables answer by then; else the page comes without
_MOST_FIELDS = 100  # whose weeks are counted


@dataclass(frozen=True, slots=True)
class Drift:
    """Rows as `consumer drift` has them, and of their fields how often they were filled."""

    rows: list[Row]
    weeks: list[Row] | None  # None: could not be counted in time
    read_at: datetime


class DriftReport:
    """Reads in the background when somebody looks and what is known is older than five minutes."""

    def __init__(self, settings: ConsoleSettings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._reading: asyncio.Task[None] | None = None
        self._known: Drift | None = None
        self._failure: ConsumerError | None = None

    @property
    def is_being_read(self) -> bool:
        """Whether something newer is to come."""
        return self._reading is not None and not self._reading.done()

    @property
    def failure(self) -> ConsumerError | None:
        """Why the last attempt to read told nothing; None if it did."""
        return self._failure

    async def newest(self) -> Drift | None:
        """Return what is known, at once; None if nothing is as yet."""
        if not self.is_being_read and not self._is_fresh():
            self._reading = asyncio.create_task(self._refresh(), name="read_drift")
        if self._reading is not None and self._known is None:
            # Waiting does not own it: the reading goes on when this visitor leaves.
            await asyncio.wait({self._reading}, timeout=_WAIT_SECONDS)
        if self._reading is not None and self._reading.done():
            reading, self._reading = self._reading, None
            reading.result()  # raises what nobody expected
        return self._known

    async def close(self) -> None:
        """Give up what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    def _is_fresh(self) -> bool:
        return self._known is not None and datetime.now(UTC) - self._known.read_at < _FRESH

    async def _refresh(self) -> None:
        try:
            self._known, self._failure = await self._read(), None
        except ConsumerError as error:
            self._failure = error

    async def _read(self) -> Drift:
        rows = await read_drift(self._settings.reading)
        read_at = datetime.now(UTC)
        return Drift(rows, await self._weeks(_fields(rows), read_at), read_at)

    async def _weeks(
        self, fields: Sequence[tuple[str, str]], read_at: datetime
    ) -> list[Row] | None:
        sources = [source for source, _ in fields]
        paths = [path for _, path in fields]
        levels = [path.rpartition(".")[0] for path in paths]
        asked = {"sources": sources, "paths": paths, "levels": levels, "today": read_at.date()}
        try:
            return await self._database.rows("filled_by_week", **asked)
        except ConsumerError:
            return None


def _fields(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return the fields that rows are about, renamed ones under both names, each once."""
    named = [(row["source"], row["path"]) for row in rows]
    return list(dict.fromkeys(named))[:_MOST_FIELDS]
