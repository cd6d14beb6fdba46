"""The breaker: while PostgreSQL, S3 or SQS is down, nothing is received and what is held waits.

A fault of ours is not the message's fault: a message that waits here keeps its lease and uses up
no receive of its budget.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from consumer.errors import ConsumerError
from consumer.metrics import BREAKER_OPEN, BREAKER_OPENED, Cause
from schemas.codes import ErrorCode

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.5, 15.0

# Returns when everything the consumer stands on answers; raises ConsumerError when not.
Probe = Callable[[], Awaitable[None]]


class OutageBreaker:
    """Closed while things work; opens on a fault of ours, closes after a successful probe."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._closed = asyncio.Event()
        self._closed.set()
        self._opened_by: ErrorCode | None = None

    @property
    def is_open(self) -> bool:
        """Whether work is suspended."""
        return not self._closed.is_set()

    @property
    def opened_by(self) -> ErrorCode | None:
        """The code of the error that opened it, or None while it is closed."""
        return self._opened_by if self.is_open else None

    def trip(self, error: ConsumerError) -> None:
        """Open the breaker; repeating it changes nothing."""
        if not self.is_open:
            self._closed.clear()
            self._opened_by = error.code
            BREAKER_OPEN.labels(Cause.OUTAGE).set(1)
            BREAKER_OPENED.labels(error.code).inc()
            log.error("breaker_open", code=error.code, error=str(error))

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
            log.warning("breaker_still_open", code=error.code, error=str(error))
        else:
            self._closed.set()
            BREAKER_OPEN.labels(Cause.OUTAGE).set(0)
            log.info("breaker_closed")
