"""The reasons to suspend work, and the breaker that knows outages.

While PostgreSQL, S3 or SQS is down, nothing is received and what is held waits. A fault of ours is
not the message's fault: a message that waits keeps its lease and uses up no receive of its budget.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from consumer.errors import ConsumerError
from consumer.ingest.byte_budget import ByteBudget
from consumer.messages.failure_breaker import FailureBreaker
from consumer.metrics import BREAKER_OPEN, BREAKER_OPENED, Cause

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.5, 15.0

# Returns when everything the consumer stands on answers; raises ConsumerError when not.
Probe = Callable[[], Awaitable[None]]


class Breaker(Protocol):
    """A reason to suspend work."""

    @property
    def is_open(self) -> bool:
        """Whether work is suspended."""

    @property
    def reason(self) -> str | None:
        """Why work is suspended; None while it is not."""

    def allowance(self, wanted: int) -> int:
        """Return how many of `wanted` messages may be received now."""


class OutageBreaker:
    """Closed while things work; opens on a fault of ours, closes after a successful probe."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._closed = asyncio.Event()
        self._closed.set()
        self._reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether work is suspended."""
        return not self._closed.is_set()

    @property
    def reason(self) -> str | None:
        """The code and words of the error that opened it; None while it is closed."""
        return self._reason if self.is_open else None

    def allowance(self, wanted: int) -> int:
        """Return how many messages may be received now: all or none."""
        return 0 if self.is_open else wanted

    def trip(self, error: ConsumerError) -> None:
        """Open the breaker; repeating it changes nothing."""
        if not self.is_open:
            self._closed.clear()
            self._reason = f"{error.code}: {error}"
            BREAKER_OPEN.labels(Cause.OUTAGE).set(1)
            BREAKER_OPENED.labels(error.code).inc()
            log.error("breaker_opened", cause=Cause.OUTAGE, code=error.code, error=str(error))

    async def wait_closed(self) -> None:
        """Wait until work may go on."""
        await self._closed.wait()

    async def keep(self) -> None:
        """Probe whenever the breaker is open, ever more seldom; run until cancelled."""
        while True:
            if not self.is_open:
                await asyncio.sleep(_FIRST_PAUSE_SECONDS / 2)
                continue
            pause_seconds = _FIRST_PAUSE_SECONDS
            while self.is_open:
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(_MAX_PAUSE_SECONDS, 2 * pause_seconds)
                await self._try()

    async def _try(self) -> None:
        try:
            await self._probe()
        except ConsumerError as error:
            log.warning("probe_failed", cause=Cause.OUTAGE, code=error.code, error=str(error))
        else:
            # A message may have met the fault while the probe passed it by. It then finds the
            # breaker still open, waits with the others, and opens it again when it tries once more.
            self._closed.set()
            BREAKER_OPEN.labels(Cause.OUTAGE).set(0)
            log.info("breaker_closed", cause=Cause.OUTAGE)


@dataclass(frozen=True, slots=True)
class Breakers:
    """Both breakers and the byte budget: what is received must have passed each."""

    byte_budget: ByteBudget
    outage: OutageBreaker
    failure: FailureBreaker

    @property
    def reason(self) -> str | None:
        """Why work is suspended; None while it is not."""
        both: tuple[Breaker, ...] = (self.failure, self.outage)
        return next((breaker.reason for breaker in both if breaker.is_open), None)

    def allowance(self, wanted: int) -> int:
        """Return how many messages may be received now."""
        # The failure breaker comes last: what it allows may be a probe, which must then be sent.
        if self.byte_budget.is_full or not self.outage.allowance(wanted):
            return 0
        return self.failure.allowance(wanted)
