"""The reasons to suspend work: outages, failures, and objects that hold up the others.

While PostgreSQL, S3 or SQS is down, nothing is received, and what is held waits: it keeps its lease
and uses up no receive of its budget. Messages with a fault of their own object are held in a share
of the slots only, so that the others keep flowing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

import structlog

from consumer.aws.sqs import Delivery
from consumer.errors import ConsumerError
from consumer.ingest.in_hand import ByteBudget
from consumer.messages.failure_breaker import FailureBreaker
from consumer.metrics import BREAKER_OPEN, BREAKER_OPENED, HELD_MESSAGES, Cause
from schemas.codes import ErrorCode

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.5, 15.0
_FIRST_LOOK_SECONDS, _MAX_LOOK_SECONDS = 0.2, 5.0

# Returns when everything the consumer stands on answers; raises ConsumerError when not.
Probe = Callable[[], Awaitable[None]]


class OutageBreaker:
    """Closed while things work; opens on a fault of ours, closes after a successful probe."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._closed = asyncio.Event()
        self._closed.set()
        self.reason: str | None = None  # the code and words of the error that opened it

    @property
    def is_open(self) -> bool:
        """Whether work is suspended."""
        return not self._closed.is_set()

    def trip(self, error: ConsumerError) -> None:
        """Open the breaker; repeating it changes nothing."""
        if not self.is_open:
            self._closed.clear()
            self.reason = f"{error.code}: {error}"
            BREAKER_OPEN.labels(Cause.OUTAGE).set(1)
            BREAKER_OPENED.labels(error.code).inc()
            log.error("breaker_opened", cause=Cause.OUTAGE, code=error.code, error=str(error))

    async def wait_closed(self) -> None:
        """Wait until work may go on."""
        await self._closed.wait()

    async def keep(self) -> None:
        """Probe whenever the breaker is open, ever more seldom; run until cancelled."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause_seconds)
            if self.is_open:
                await self._try()
            longer_seconds = min(_MAX_PAUSE_SECONDS, 2 * pause_seconds)
            pause_seconds = longer_seconds if self.is_open else _FIRST_PAUSE_SECONDS

    async def _try(self) -> None:
        try:
            await self._probe()
        except ConsumerError as error:
            log.warning("probe_failed", cause=Cause.OUTAGE, code=error.code, error=str(error))
        else:
            # A message may have met the fault while the probe passed it by. It then finds the
            # breaker still open, waits with the others, and opens it again when it tries once more.
            self._closed.set()
            self.reason = None
            BREAKER_OPEN.labels(Cause.OUTAGE).set(0)
            log.info("breaker_closed", cause=Cause.OUTAGE)


class HeldMessages:
    """The messages that wait for something to be mended, each in a slot.

    While there are `limit` of them, what comes with a fault of its own object is given back for a
    while. If so many come in a row, the fault may concern all objects: messages are then received
    one at a time, until one comes that need not be held.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[Delivery, ErrorCode] = {}
        self._in_a_row = 0  # with faults of their own objects
        self._next_look, self._pause_seconds = 0.0, _FIRST_LOOK_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether enough messages are held."""
        return len(self._held) >= self._limit

    @property
    def reason(self) -> str | None:
        """How many messages are held, by code; None while there are few."""
        if not self.is_open:
            return None
        counts = Counter(self._held.values()).most_common()
        codes = ", ".join(f"{count} {code}" for code, count in counts)
        remedy = "`consumer doctor` says what to correct"
        return f"{len(self._held)} messages are held ({codes}): {remedy}"

    def allowance(self, wanted: int) -> int:
        """Return how many messages may be received now: all, one to look at, or none."""
        if self._in_a_row < self._limit:
            return wanted
        if monotonic() < self._next_look:
            return 0
        self._next_look = monotonic() + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, _MAX_LOOK_SECONDS)
        return 1

    def may_hold(self, delivery: Delivery) -> bool:
        """Say whether a message with a fault of its own object may be held, too."""
        if delivery in self._held:
            return True
        # One that was given back says nothing new when it comes again, perhaps with all the others.
        self._in_a_row += delivery.receive_count == 1
        return not self.is_open

    def hold(self, delivery: Delivery, code: ErrorCode) -> None:
        """Enter a message that is held; repeating it changes nothing."""
        if delivery not in self._held:
            self._held[delivery] = code
            HELD_MESSAGES.labels(code).inc()

    def let_go(self, delivery: Delivery) -> None:
        """Forget a message that is no longer held; nothing happens if it never was."""
        if code := self._held.pop(delivery, None):
            HELD_MESSAGES.labels(code).dec()

    def no_fault_found(self) -> None:
        """Learn that a message needed not be held."""
        self._in_a_row, self._pause_seconds = 0, _FIRST_LOOK_SECONDS


@dataclass(frozen=True, slots=True)
class Breakers:
    """All breakers and the byte budget: what is received must have passed each."""

    byte_budget: ByteBudget
    outage: OutageBreaker
    failure: FailureBreaker
    held: HeldMessages

    @property
    def reason(self) -> str | None:
        """Why work is suspended; None while it is not."""
        return self.failure.reason or self.outage.reason or self.held.reason

    def allowance(self, wanted: int) -> int:
        """Return how many messages may be received now."""
        if self.byte_budget.is_full or self.outage.is_open:
            return 0
        # These come last, as they allow a single message only now and then. One that the first
        # allows and the second does not is allowed again after a pause.
        wanted = self.held.allowance(wanted)
        return self.failure.allowance(wanted) if wanted else 0
