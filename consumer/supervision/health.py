"""What the health pages say: while starting, what is waited for; then how the work is."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiohttp import web

from consumer.errors import ConsumerError, DatabaseUnavailable, StorageUnavailable, Throttled
from consumer.messages.breakers import Breakers, Probe
from consumer.messages.leases import Leases
from consumer.metrics import REGISTRY
from runtime import systemd
from runtime.http_server import health_pages

log = structlog.get_logger()

_PROBE_SECONDS = 5.0
_START_PAUSE_SECONDS = 2.0
_START_EXTENSION_SECONDS = 300  # longer than anything takes that is asked at the start

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Work:
    """What tells how the work is."""

    leases: Leases
    breakers: Breakers
    probe: Probe


class Health:
    """One process's health, from its first second to its last."""

    def __init__(self) -> None:
        self.waits_for = "starting"
        self._work: Work | None = None

    async def once_reachable(self, ask: Callable[[], Awaitable[R]]) -> R:
        """Ask again and again until what we stand on answers; nothing is held yet."""
        while True:
            try:
                answer = await ask()
            except (DatabaseUnavailable, StorageUnavailable, Throttled) as error:
                self.waits_for = f"{error.code}: {error}"
                systemd.waiting(self.waits_for, _START_EXTENSION_SECONDS)
                log.warning("start_delayed", code=error.code, error=str(error))
                await asyncio.sleep(_START_PAUSE_SECONDS)
            else:
                self.waits_for = "starting"
                return answer

    def begin(self, work: Work) -> None:
        """Tell of the work from now on."""
        self._work = work

    def end(self) -> None:
        """Ask nothing more: what would answer is being closed."""
        self.waits_for, self._work = "stopping", None

    @property
    def is_on_time(self) -> bool:
        """Whether leases are extended in time; there are none while starting."""
        return self._work is None or self._work.leases.is_on_time

    async def healthz(self) -> str | None:
        """Return what a restart or a rollback would mend.

        Leases are not extended in time, or a failure burst suspends the work. Not while starting: a
        restart would not bring back a database.
        """
        if not self.is_on_time:
            return "leases are not extended in time"
        return self._work.breakers.failure.reason if self._work else None

    async def readyz(self) -> str | None:
        """Return why nothing is loaded now: also that database, bucket or queue do not answer."""
        if self._work is None:
            return self.waits_for
        if self._work.breakers.reason:
            return self._work.breakers.reason
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await self._work.probe()
        except (ConsumerError, TimeoutError) as error:
            return str(error) or f"no answer within {_PROBE_SECONDS} s"
        return None

    def pages(self) -> web.Application:
        """Build the pages: `/metrics` is Prometheus text; the others answer 200, or 503 and why."""
        return health_pages(self.healthz, self.readyz, REGISTRY)
