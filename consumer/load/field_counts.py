"""What is usual: which fields came, week by week, and what that says together.

Each process counts in memory and adds its counts to `schema_fields` now and then. Whoever adds
also infers, from all counts, what only many documents tell: see `consumer.drift.inference`. A crash
loses seconds of counting and nothing else.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from threading import Lock
from time import monotonic

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from consumer.drift.findings import Finding
from consumer.drift.inference import ENOUGH_RECORDS, Absence, Newcomer, infer
from consumer.drift.shapes import Presences
from consumer.load import statements, tallies
from consumer.load.document import Identity, StagedDocument
from consumer.load.tallies import Tally
from schemas.registry import Source

log = structlog.get_logger()

_SHARE_SECONDS = 10.0
_MOST_OF_TIME = 0.02  # that sharing may take, once there are years of counts
_MAX_NEWCOMERS = 500  # unknown fields of one source that one process counts: ids may be names
_LOCK = 7_305_119_264_481  # any number that nothing else locks

# (source, path, Monday, came): documents of a week that filled a field, or those that did not
_FieldKey = tuple[str, str, date, bool]
_FindingKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What was counted and is not in the tables yet."""

    fields: dict[_FieldKey, Tally]
    findings: dict[_FindingKey, Tally]


class FieldCounts:
    """Counts which fields came; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._fields: dict[_FieldKey, Tally] = {}
        self._findings: dict[_FindingKey, Tally] = {}
        self._newcomers: dict[str, set[str]] = {}

    def learn(self, document: StagedDocument, presences: Presences) -> None:
        """Count the fields of a document that was loaded."""
        day = document.frame.bus_dt or presences.day
        with self._lock:
            self._learn(document.frame.source, document.identity, day, presences)

    def learn_refused(
        self,
        source: Source,
        identity: Identity,
        findings: Mapping[Finding, int],
        presences: Presences,
    ) -> None:
        """Count what a document was refused for: there is no batch that tells it."""
        with self._lock:
            self._learn(source, identity, None, presences)
            for finding, count in findings.items():
                tally = Tally.of(identity, _event_day(identity), count, note=finding.detail)
                tallies.add(self._findings, (source, finding.path, finding.kind), tally)

    def take_unsaved(self) -> Unsaved:
        """Return what was counted since the last call."""
        with self._lock:
            taken = Unsaved(self._fields, self._findings)
            self._fields, self._findings = {}, {}
        return taken

    def put_back(self, unsaved: Unsaved) -> None:
        """Take over counts that could not be saved."""
        with self._lock:
            for field, tally in unsaved.fields.items():
                tallies.add(self._fields, field, tally)
            for finding, tally in unsaved.findings.items():
                tallies.add(self._findings, finding, tally)

    def _learn(
        self, source: Source, identity: Identity, day: date | None, presences: Presences
    ) -> None:
        day = day or _event_day(identity)
        monday = day - timedelta(days=day.weekday())
        for field in presences.fields:
            if field.json_type is None or self._has_room(source, field.path):
                tally = Tally.of(identity, day, field.records, field.filled, field.json_type)
                tallies.add(self._fields, (source, field.path, monday, field.filled > 0), tally)

    def _has_room(self, source: Source, path: str) -> bool:
        known = self._newcomers.setdefault(source, set())
        if len(known) < _MAX_NEWCOMERS:
            known.add(path)
        return path in known


def _event_day(identity: Identity) -> date:
    return identity.event_time.astimezone(UTC).date()


async def share(usual: FieldCounts, pool: AsyncConnectionPool) -> None:
    """Add what was counted to the tables, and infer drift from all that every process counted.

    Never fails: what could not be saved is kept for the next time.
    """
    unsaved = usual.take_unsaved()
    if not unsaved.fields and not unsaved.findings:
        return
    try:
        async with pool.connection() as connection, connection.transaction():
            # One after the other: the last one sees what all have counted.
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            await _save(connection, unsaved)
            await _infer(connection)
    except psycopg.Error as error:
        usual.put_back(unsaved)
        log.warning("usual_fields_not_shared", error=str(error))
    except asyncio.CancelledError:
        usual.put_back(unsaved)
        raise


async def keep_sharing(usual: FieldCounts, pool: AsyncConnectionPool) -> None:
    """Share now and then until cancelled."""
    pause_seconds = _SHARE_SECONDS
    while True:
        await asyncio.sleep(pause_seconds)
        began = monotonic()
        await share(usual, pool)
        pause_seconds = max(_SHARE_SECONDS, (monotonic() - began) / _MOST_OF_TIME)


async def _save(connection: AsyncConnection, unsaved: Unsaved) -> None:
    for name, counted in (("learn_fields", unsaved.fields), ("add_drift", unsaved.findings)):
        if counted:
            await connection.execute(statements.fixed(name), tallies.columns(counted))


async def _infer(connection: AsyncConnection) -> None:
    enough = {"enough_records": ENOUGH_RECORDS}
    absences = connection.cursor(row_factory=class_row(Absence))
    await absences.execute(statements.fixed("find_absences"), enough)
    newcomers = connection.cursor(row_factory=class_row(Newcomer))
    await newcomers.execute(statements.fixed("find_newcomers"))
    inferred = infer(await absences.fetchall(), await newcomers.fetchall())
    columns = [list(column) for column in zip(*inferred, strict=True)] or [[]] * 5
    await connection.execute(statements.fixed("record_inferred"), columns)
