"""The daemon: round after round, each over today and the last days.

One task runs the rounds, so rounds of this process never overlap; the lease table keeps other
processes away from our stores.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from producer.errors import ProducerError
from producer.metrics import Metrics
from producer.tally import Tally

_STOPPED = "told to stop"

log = structlog.get_logger(__name__)

#: Pulls one round: passes the round's tally to its argument, then works. Returns False when
#: other producers hold the leases of all stores.
Round = Callable[[Callable[[Tally], None]], Coroutine[Any, Any, bool]]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When rounds begin, and how long the last one may take to end.

    Attributes:
        every_seconds: From the start of one round to the start of the next; after a round that
            took longer, the next starts at once.
        jitter: Fraction of `every_seconds` by which a start moves at most, either way; 0 to 1.
        stop_timeout_seconds: How long a stop waits for answers under way.
        retry_seconds: Pause after a round that found every store leased elsewhere. By then the
            leases of a killed producer (perhaps this one, before its restart) have expired.
    """

    every_seconds: float
    jitter: float
    stop_timeout_seconds: float
    retry_seconds: float = 30


class Daemon:
    """Runs rounds until it is told to stop."""

    def __init__(self, pull_round: Round, schedule: Schedule, metrics: Metrics) -> None:
        self._pull_round = pull_round
        self._schedule = schedule
        self._metrics = metrics
        self._tally: Tally | None = None
        self._is_stopping = False
        #: What the last finished round lacks; None when nothing.
        self.problem: str | None = "no round has ended yet"

    async def run(self, stop: asyncio.Event) -> None:
        """Run rounds until `stop` is set; return when the last one has ended.

        What a round cannot pull is logged and counted; the next round asks for it again.
        """
        while not stop.is_set():
            started = time.monotonic()
            had_stores = await self._run_round(stop)
            spread = self._schedule.jitter * self._schedule.every_seconds
            pause = self._schedule.every_seconds + random.uniform(-spread, spread)  # noqa: S311 - jitter
            if not had_stores:
                pause = min(pause, self._schedule.retry_seconds)
            await _wait(stop, started + pause - time.monotonic())

    async def _run_round(self, stop: asyncio.Event) -> bool:
        """Run one round; return False if other producers held the leases of all stores."""
        self._tally = None
        had_stores = True
        started = time.monotonic()
        self._metrics.round_running.set(1)
        work = asyncio.create_task(self._pull_round(self._begin), name="round")
        stopping = asyncio.create_task(stop.wait(), name="stop-signal")
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await self._end(work)
            if not work.cancelled():
                had_stores = work.result()
        except ProducerError as error:
            log.error("round_failed", code=error.code, reason=str(error))  # noqa: TRY400 - no bug, no traceback
            self._note(str(error), "incomplete", started)
        else:
            missing = self._missing()
            result = "incomplete" if missing else "complete" if had_stores else "leased_elsewhere"
            self._note(missing, result, started)
        finally:
            stopping.cancel()
            work.cancel()
            self._metrics.round_running.set(0)
        return had_stores

    def _begin(self, tally: Tally) -> None:
        self._tally = tally
        if self._is_stopping:  # the signal came while the round was waiting for its leases
            tally.stop(_STOPPED)
        self._metrics.follow(tally)

    async def _end(self, work: asyncio.Task[bool]) -> None:
        """Begin nothing new, and give what is under way its time to finish."""
        self._is_stopping = True
        if self._tally is not None:
            self._tally.stop(_STOPPED)
        await asyncio.wait({work}, timeout=self._schedule.stop_timeout_seconds)
        if not work.done():
            log.warning("round_cancelled", outcome="the next start asks for the rest")
            work.cancel()
            await asyncio.wait({work})

    def _missing(self) -> str | None:
        tally = self._tally
        if tally is None or tally.is_complete:
            return None
        why = tally.stopped_by or (tally.failures[0].message if tally.failures else "interrupted")
        skipped = tally.skipped.total()
        return (
            f"{tally.failed} failed, {skipped} skipped and {tally.untried} not tried of "
            f"{tally.total}: {why}"
        )

    def _note(self, problem: str | None, result: str, started: float) -> None:
        seconds = time.monotonic() - started
        self.problem = problem
        self._metrics.note_round(seconds, self._tally or Tally(0))
        self._metrics.rounds.labels(result).inc()
        if result == "complete":
            self._metrics.last_complete.set_to_current_time()
        tally = self._tally or Tally(0)
        log.info(
            "round_ended",
            result=result,
            seconds=round(seconds, 3),
            stored=tally.stored,
            unchanged=tally.unchanged,
            failed=tally.failed,
            skipped=dict(tally.skipped),
            untried=tally.untried,
            problem=problem,
        )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    if seconds <= 0:
        return
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
