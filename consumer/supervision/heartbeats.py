"""Heartbeats: a row by which others see that this process is alive, and what it does.

Reports only: a beat that the database does not take is left out, and the work never waits for one.
"""

import asyncio
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

import structlog
from psycopg_pool import AsyncConnectionPool

from consumer.errors import ConsumerError
from consumer.load import statements
from consumer.load.database import borrowed
from consumer.metrics import REGISTRY

log = structlog.get_logger()

_LAST_BEAT_SECONDS = 0.25  # it delays the stop
_BREAKER_CHARACTERS = 500

# Why work is suspended; None while it is not.
Breaker = Callable[[], str | None]


class Heartbeat:
    """The row of one process."""

    def __init__(self, pool: AsyncConnectionPool, breaker: Breaker, every_seconds: float) -> None:
        host, process_id = platform.node() or "unknown", os.getpid()
        self._pool, self._breaker = pool, breaker
        self._every_seconds = every_seconds
        self._about = {
            "consumer_id": f"{host}-{process_id}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}",
            "host": host,
            "process_id": process_id,
            "version": version("coco-ingest"),
            "beat_seconds": every_seconds,
        }

    async def keep(self) -> None:
        """Beat until cancelled, then say that we stopped; nothing at all if that is never."""
        if not self._every_seconds:
            return
        try:
            while True:
                await self.beat()
                await asyncio.sleep(self._every_seconds)
        except asyncio.CancelledError:
            # Only the row is at stake: what stops must not wait for a database that is down.
            try:
                async with asyncio.timeout(_LAST_BEAT_SECONDS):
                    await self.beat(stopped=True)
            except TimeoutError:
                log.debug("heartbeat_missed", reason="stopping")
            raise

    async def beat(self, *, stopped: bool = False) -> None:
        """Write the row; an outage is told by its breaker, not here."""
        breaker = self._breaker()
        parameters = self._about | {
            "stopped": stopped,
            "in_flight": int(REGISTRY.get_sample_value("coco_in_flight_messages") or 0),
            "oldest_seconds": REGISTRY.get_sample_value("coco_oldest_message_seconds") or None,
            "breaker": breaker and breaker[:_BREAKER_CHARACTERS],
        }
        try:
            async with borrowed(self._pool) as session:
                await session.execute(statements.fixed("beat"), parameters)
        except ConsumerError as error:
            log.debug("heartbeat_missed", code=error.code)
