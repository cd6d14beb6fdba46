"""The daemon: round after round; rounds of one process never overlap."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from producer.errors import ProducerError
from producer.metrics import Metrics
from producer.settings import Settings
from producer.tally import Tally

log = structlog.get_logger(__name__)

#: Pulls one round, which its tally counts. Returns False when other producers hold all stores.
Round = Callable[[Tally], Coroutine[Any, Any, bool]]


class Daemon:
    """Runs a round every so many seconds, from start to start, until it is told to stop."""

    def __init__(
        self, pull_round: Round, every_seconds: float, settings: Settings, metrics: Metrics
    ) -> None:
        self._pull_round = pull_round
        self._every_seconds = every_seconds
        self._settings = settings
        self._metrics = metrics
        # What the last finished round lacks; None when nothing
        self.problem: str | None = "no round has ended yet"

    async def run(self, stop: asyncio.Event) -> None:
        """Run rounds until `stop` is set; each asks again for what the last one missed."""
        while not stop.is_set():
            started = time.monotonic()
            had_stores = await self._run_round(stop)
            spread = self._settings.run_jitter_percent / 100 * self._every_seconds
            pause = self._every_seconds + random.uniform(-spread, spread)  # noqa: S311 - jitter
            if not had_stores:  # by then those leased by ourselves before a restart have expired
                pause = min(pause, self._settings.run_lease_seconds)
            with suppress(TimeoutError):
                async with asyncio.timeout(started + pause - time.monotonic()):
                    await stop.wait()

    async def _run_round(self, stop: asyncio.Event) -> bool:
        """Run one round; return False if other producers held the leases of all stores."""
        tally, had_stores = Tally(0), True
        started = time.monotonic()
        self._metrics.begin_round(tally)
        work = asyncio.create_task(self._pull_round(tally), name="round")
        stopping = asyncio.create_task(stop.wait(), name="stop-signal")
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await self._end(work, tally)
            if not work.cancelled():
                had_stores = work.result()
            self.problem = _missing(tally)
        except ProducerError as error:
            log.error("round_failed", code=error.code, reason=str(error))  # noqa: TRY400 - no bug, no traceback
            self.problem = str(error)
        finally:
            stopping.cancel()
            work.cancel()
        result = "complete" if had_stores else "leased_elsewhere"
        self._note(tally, "incomplete" if self.problem else result, time.monotonic() - started)
        return had_stores

    async def _end(self, work: asyncio.Task[bool], tally: Tally) -> None:
        tally.stop("told to stop")
        await asyncio.wait({work}, timeout=self._settings.run_stop_timeout_seconds)
        if not work.done():
            log.warning("round_cancelled", outcome="the next start asks for the rest")
            work.cancel()
            await asyncio.wait({work})

    def _note(self, tally: Tally, result: str, seconds: float) -> None:
        self._metrics.end_round(tally, result, seconds)
        log.info(
            "round_ended",
            result=result,
            seconds=round(seconds, 3),
            stored=tally.stored,
            unchanged=tally.unchanged,
            failed=tally.failed,
            skipped=dict(tally.skipped),
            untried=tally.untried,
            problem=self.problem,
        )


def _missing(tally: Tally) -> str | None:
    if tally.is_complete:
        return None
    why = tally.stopped_by or (tally.failures[0]["message"] if tally.failures else "interrupted")
    return (
        f"{tally.failed} failed, {tally.skipped.total()} skipped and {tally.untried} not tried of "
        f"{tally.total}: {why}"
    )
