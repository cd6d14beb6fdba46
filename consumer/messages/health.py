"""Whether the consumer lives, and whether it can work: what its HTTP port answers."""

import asyncio
from typing import Protocol

from fastapi import FastAPI

from consumer.errors import ConsumerError
from consumer.messages.breakers import Breakers, Probe
from consumer.metrics import REGISTRY
from runtime.http_server import health_pages

_PROBE_SECONDS = 5.0


class Punctual(Protocol):
    """Something that must happen in time."""

    @property
    def is_on_time(self) -> bool:
        """Whether it did, the last time."""


def health_app(leases: Punctual, breakers: Breakers, probe: Probe) -> FastAPI:
    """Build the pages.

    `/healthz` answers 200 while the event loop runs, leases are extended in time and no failure
    burst suspends the work, else 503 with the reason: restart the process, or roll it back.
    `/readyz` answers 200 while moreover no outage is known and database, bucket and queue
    answer, else 503 with the reason: it mends itself. `/metrics` is Prometheus text.
    """

    async def healthz() -> str | None:
        late = None if leases.is_on_time else "leases are not extended in time"
        return late or breakers.failure.reason

    async def readyz() -> str | None:
        if breakers.reason:
            return breakers.reason
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await probe()
        except (ConsumerError, TimeoutError) as error:
            return str(error) or f"no answer within {_PROBE_SECONDS} s"
        return None

    return health_pages(healthz, readyz, REGISTRY)
