"""Replay results: what became of replayed messages, by the ledger. Reads only.

A ledger row that was committed after the replay began is an object's end.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from psycopg import AsyncConnection

from consumer.aws.sqs import Queue
from consumer.load import statements
from consumer.load.database import open_session
from consumer.operate.dlq.dead_letters import DeadLetter
from consumer.settings import DatabaseSettings
from schemas.codes import ErrorCode, State
from schemas.envelopes import EventMalformed, ObjectEvent, decode_body

WAITING = "waiting"
# The worst first: the result of a message is that of its worst object.
_ORDER = (WAITING, State.DEAD_LETTERED, State.LOADED, State.SUPERSEDED, State.IGNORED)
_PAUSE_SECONDS = 1.0
# An object that is loaded already keeps its row when its event comes again and is outdated. That
# it came shows only in an empty queue, which SQS's counts tell late.
_EMPTY_POLLS = 5


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What became of one object; `result` is a state of the ledger, or `waiting`."""

    object_key: str
    result: str
    error_code: str | None = None
    error_message: str | None = None
    error_log_key: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether it has ended, and was not dead-lettered again."""
        return self.result not in (WAITING, State.DEAD_LETTERED)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Tells how objects ended since a moment, by PostgreSQL's clock."""

    session: AsyncConnection
    since: datetime

    async def ends(
        self, events: Sequence[ObjectEvent], *, is_drained: bool
    ) -> list[tuple[int, ObjectResult]]:
        """Return the place in the list, and the result, of each object that has ended."""
        parameters = {
            "since": self.since,
            "is_drained": is_drained,
            "buckets": [event.bucket for event in events],
            "keys": [event.key for event in events],
            "versions": [event.version_id for event in events],
            "etags": [event.etag for event in events],
        }
        cursor = await self.session.execute(statements.fixed("find_ends"), parameters)
        return [(place, ObjectResult(*row)) for place, *row in await cursor.fetchall()]


class ReplayResult:
    """What became of one replayed message, object by object; `open` are those that still wait."""

    def __init__(self, dead_letter: DeadLetter) -> None:
        self.dead_letter = dead_letter
        self.open: dict[int, ObjectEvent] = {}
        self.objects: list[ObjectResult] = []
        try:
            announced = decode_body(dead_letter.delivery.body)
        except EventMalformed as error:
            # It has no object and so no ledger row; every consumer dead-letters it again.
            code = ErrorCode.EVENT_MALFORMED
            self.objects.append(ObjectResult("", State.DEAD_LETTERED, code, str(error)))
            return
        for number, item in enumerate(announced):
            if isinstance(item, ObjectEvent):
                self.open[number] = item
                self.objects.append(ObjectResult(item.key, WAITING))
            else:
                self.objects.append(ObjectResult("", State.IGNORED))

    @property
    def result(self) -> str:
        """The worst result of its objects."""
        return min((one.result for one in self.objects), key=_ORDER.index)

    def end(self, number: int, result: ObjectResult) -> None:
        """Note the end of one of its open objects."""
        del self.open[number]
        self.objects[number] = result

    def shown(self) -> dict[str, Any]:
        """Return what operators see of it."""
        objects = [asdict(one) for one in self.objects]
        return self.dead_letter.shown() | {"result": self.result, "objects": objects}


async def follow(
    results: Sequence[ReplayResult], ledger: Ledger, main: Queue, timeout_seconds: float
) -> AsyncGenerator[int, None]:
    """Learn replay results from the ledger; yield how many have ended, about once a second.

    Ends when all have, or when the time is up. May be abandoned at any moment.

    Raises:
        ConsumerError: PostgreSQL or SQS could not be asked.
    """
    deadline = monotonic() + timeout_seconds
    empty_polls = 0
    while waiting := [(one, number) for one in results for number in one.open]:
        empty_polls = 0 if (await main.depth()).total else empty_polls + 1
        events = [one.open[number] for one, number in waiting]
        for place, end in await ledger.ends(events, is_drained=empty_polls >= _EMPTY_POLLS):
            one, number = waiting[place]
            one.end(number, end)
        yield sum(not one.open for one in results)
        if monotonic() >= deadline:
            return
        await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def open_ledger(settings: DatabaseSettings) -> AsyncIterator[Ledger]:
    """Hold a ledger that tells what is new since now.

    Raises:
        ConsumerError: the database could not be asked, now or during the block.
    """
    async with open_session(settings) as session:
        [[now]] = await (await session.execute("SELECT clock_timestamp()")).fetchall()
        ledger = Ledger(session, now)
        await ledger.ends((), is_drained=False)  # fails where there are no tables yet
        yield ledger
