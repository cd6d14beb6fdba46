"""Replay results: what became of replayed messages, by the ledger. Reads only.

A ledger row that was committed after the replay began is an object's end. SQS is not asked about
single messages: nobody can look for one.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from psycopg.rows import class_row

from consumer.load import statements
from consumer.load.database import open_session
from consumer.operate.dlq.dead_letters import DeadLetter
from consumer.settings import DatabaseSettings
from schemas.codes import ErrorCode, State
from schemas.envelopes import EventMalformed, Ignored, ObjectEvent, decode_body

WAITING = "waiting"
# The worst first: the result of a message is that of its worst object.
_ORDER = (WAITING, State.DEAD_LETTERED, State.LOADED, State.SUPERSEDED, State.IGNORED)
_PAUSE_SECONDS = 1.0
# An object that is loaded already keeps its row when its event comes again and is outdated. That
# it came shows only in an empty queue, which SQS's counts tell late.
_EMPTY_POLLS = 5


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the ledger says of one object version; `is_new` since the replay began."""

    bucket: str
    object_key: str
    version_id: str | None
    etag: str | None
    state: str
    error_code: str | None
    error_message: str | None
    error_log_key: str | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What became of one object; `result` is a state of the ledger, or `waiting`."""

    object_key: str
    result: str
    error_code: str | None = None
    error_message: str | None = None
    error_log_key: str | None = None


# Returns the rows of these objects, the newest last; raises ConsumerError.
AskLedger = Callable[[Sequence[ObjectEvent]], Awaitable[list[LedgerRow]]]


class ReplayResult:
    """What became of one replayed message, object by object."""

    def __init__(self, dead_letter: DeadLetter) -> None:
        self.dead_letter = dead_letter
        self._objects: list[ObjectResult | ObjectEvent]
        try:
            self._objects = [
                ObjectResult("", State.IGNORED) if isinstance(item, Ignored) else item
                for item in decode_body(dead_letter.delivery.body)
            ]
        except EventMalformed as error:
            # It has no object and so no ledger row; every consumer dead-letters it again.
            code = ErrorCode.EVENT_MALFORMED
            self._objects = [ObjectResult("", State.DEAD_LETTERED, code, str(error))]

    @property
    def open(self) -> list[ObjectEvent]:
        """The objects that have not ended yet."""
        return [found for found in self._objects if isinstance(found, ObjectEvent)]

    @property
    def objects(self) -> list[ObjectResult]:
        """One result for each object."""
        return [
            ObjectResult(found.key, WAITING) if isinstance(found, ObjectEvent) else found
            for found in self._objects
        ]

    @property
    def result(self) -> str:
        """The worst result of its objects."""
        results = {one.result for one in self.objects}
        return next(result for result in _ORDER if result in results)

    def learn(self, rows: Sequence[LedgerRow], *, drained: bool) -> None:
        """Learn the results that the ledger knows by now.

        Args:
            rows: What the ledger says, the newest last.
            drained: Whether the queue is empty.
        """
        self._objects = [
            (_result_of(found, rows, drained=drained) or found)
            if isinstance(found, ObjectEvent)
            else found
            for found in self._objects
        ]

    def as_json(self) -> dict[str, Any]:
        """Return what operators see of it."""
        objects = [asdict(one) for one in self.objects]
        return self.dead_letter.as_json() | {"result": self.result, "objects": objects}


async def follow(
    results: Sequence[ReplayResult],
    ask: AskLedger,
    depth: Callable[[], Awaitable[int]],
    timeout_seconds: float,
) -> AsyncGenerator[int, None]:
    """Learn replay results from the ledger; yield how many have ended, about once a second.

    Ends when all have, or when the time is up. May be abandoned at any moment.

    Raises:
        ConsumerError: PostgreSQL or SQS could not be asked.
    """
    deadline = monotonic() + timeout_seconds
    empty_polls = 0
    while waiting := [one for one in results if one.open]:
        empty_polls = 0 if await depth() else empty_polls + 1
        rows = await ask([event for one in waiting for event in one.open])
        by_key: dict[str, list[LedgerRow]] = {}
        for row in rows:
            by_key.setdefault(row.object_key, []).append(row)
        for one in waiting:
            known = [row for event in one.open for row in by_key.get(event.key, ())]
            one.learn(known, drained=empty_polls >= _EMPTY_POLLS)
        yield sum(not one.open for one in results)
        if monotonic() >= deadline:
            return
        await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def open_ledger(settings: DatabaseSettings) -> AsyncIterator[AskLedger]:
    """Give the function that asks the ledger what is new since now.

    Raises:
        ConsumerError: the database could not be asked, or has no ledger.
    """
    async with open_session(settings) as session:
        since = await (await session.execute("SELECT clock_timestamp()")).fetchone()

        async def ask(events: Sequence[ObjectEvent]) -> list[LedgerRow]:
            parameters = {
                "since": since and since[0],
                "buckets": [event.bucket for event in events],
                "keys": [event.key for event in events],
            }
            cursor = session.cursor(row_factory=class_row(LedgerRow))
            await cursor.execute(statements.fixed("find_ends"), parameters)
            return await cursor.fetchall()

        await ask(())
        yield ask


def _result_of(
    event: ObjectEvent, rows: Sequence[LedgerRow], *, drained: bool
) -> ObjectResult | None:
    for row in reversed(rows):
        ended = row.is_new or (drained and row.state == State.LOADED)
        if ended and _is_about(row, event):
            return ObjectResult(
                row.object_key, row.state, row.error_code, row.error_message, row.error_log_key
            )
    return None


def _is_about(row: LedgerRow, event: ObjectEvent) -> bool:
    if (row.bucket, row.object_key) != (event.bucket, event.key):
        return False
    if event.version_id is not None:
        return row.version_id == event.version_id
    # An event without either means whatever lay there when it was read.
    return event.etag is None or row.etag == event.etag
