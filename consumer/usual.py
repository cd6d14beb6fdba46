"""What is usual: how often each field of a source comes filled, learned from what was loaded.

Kept in memory, shared through `schema_fields`: read at start, added to now and then. A crash loses
a minute of learning and nothing else.
"""

import asyncio
from collections.abc import Collection, Iterable
from threading import Lock

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from consumer import statements
from schemas.shapes import Presence
from schemas.sources import Source

log = structlog.get_logger()

_ENOUGH_RECORDS = 20
_MAX_FIELDS = 1000  # of one level: documents that use ids as field names must not fill memory
_SHARE_SECONDS = 30.0


class UsualFields:
    """Counts of filled fields by source, level and path; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
        self._unsaved: dict[tuple[str, str], tuple[int, int]] = {}

    def always_filled(self, source: Source, path: str) -> bool:
        """Say whether every record so far, and at least twenty, filled the field."""
        filled, records = self._at(source, path).get(path, (0, 0))
        return records >= _ENOUGH_RECORDS and filled == records

    def known_fields(self, source: Source, level: str) -> Collection[str]:
        """Return the paths of all fields that any record so far filled at a level."""
        with self._lock:
            return list(self._counts.get((source, level), ()))

    def learn(self, source: Source, presences: Iterable[Presence]) -> None:
        """Count the fields of a document that was loaded."""
        with self._lock:
            for presence in presences:
                if not self._add(source, presence.path, presence.filled, presence.records):
                    continue
                key = (source, presence.path)
                filled, records = self._unsaved.get(key, (0, 0))
                self._unsaved[key] = filled + presence.filled, records + presence.records

    def merge(self, rows: Iterable[tuple[str, str, int, int]]) -> None:
        """Take over counts as stored: (source, path, filled, records)."""
        with self._lock:
            for source, path, filled, records in rows:
                level = path.rpartition(".")[0]
                self._counts.setdefault((source, level), {})[path] = filled, records

    def take_unsaved(self) -> list[tuple[str, str, int, int]]:
        """Return what was learned since the last call, in key order."""
        with self._lock:
            unsaved, self._unsaved = self._unsaved, {}
        return sorted((source, path, *counts) for (source, path), counts in unsaved.items())

    def _at(self, source: Source, path: str) -> dict[str, tuple[int, int]]:
        return self._counts.get((source, path.rpartition(".")[0]), {})

    def _add(self, source: Source, path: str, filled: int, records: int) -> bool:
        """Count a field, unless there are too many already."""
        level = source, path.rpartition(".")[0]
        # A field's name may hold dots and look like a level of its own.
        if level not in self._counts and len(self._counts) >= _MAX_FIELDS:
            return False
        fields = self._counts.setdefault(level, {})
        if path not in fields and len(fields) >= _MAX_FIELDS:
            return False
        known_filled, known_records = fields.get(path, (0, 0))
        fields[path] = known_filled + filled, known_records + records
        return True


async def share(usual: UsualFields, pool: AsyncConnectionPool) -> None:
    """Add what was learned to the stored counts, and take over what other processes stored.

    Never fails: what is usual serves only to report drift, and will be learned again.
    """
    try:
        async with pool.connection() as connection, connection.transaction():
            cursor = connection.cursor()
            rows = usual.take_unsaved()
            if rows:
                await cursor.executemany(statements.fixed("learn_fields"), rows)
            await cursor.execute("SELECT source, path, filled, records FROM schema_fields")
            usual.merge(await cursor.fetchall())
    except psycopg.Error as error:
        log.warning("usual_fields_not_shared", error=str(error))


async def keep_sharing(usual: UsualFields, pool: AsyncConnectionPool) -> None:
    """Share now and then until cancelled."""
    while True:
        await asyncio.sleep(_SHARE_SECONDS)
        await share(usual, pool)
