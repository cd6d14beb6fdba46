"""The daemon: one round after the other, each over today and the last days.

One task runs the rounds, so no two of this process overlap; `leases` sees to the other processes.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from producer.errors import ProducerError
from producer.metrics import Metrics
from producer.tally import Tally

_TOLD = "told to stop"

log = structlog.get_logger(__name__)

#: Pulls one round: prepares its tally, hands it to the first argument, then works. Returns
#: whether there was a store to pull: False when all are being pulled by another producer.
Round = Callable[[Callable[[Tally], None]], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When rounds begin, and how long the last one may take to end.

    Attributes:
        every_seconds: From the beginning of one round to that of the next; a round that takes
            longer is followed at once.
        jitter: By which part of that the beginning is moved at most, either way; 0 to 1.
        stop_timeout_seconds: How long answers under way are waited for when told to stop.
        retry_seconds: When to try again after a round that found no store to pull: stores of a
            producer that was killed, perhaps of this one before its restart, are free by then.
    """

    every_seconds: float
    jitter: float
    stop_timeout_seconds: float
    retry_seconds: float = 30


class Daemon:
    """Runs rounds until told to stop."""

    def __init__(self, pull_round: Round, schedule: Schedule, metrics: Metrics) -> None:
        self._pull_round = pull_round
        self._schedule = schedule
        self._metrics = metrics
        self._tally: Tally | None = None
        self._is_stopping = False
        #: What the last round that ended lacks; None when nothing.
        self.problem: str | None = "no round has ended yet"

    async def run(self, stop: asyncio.Event) -> None:
        """Run rounds until `stop` is set; returns when the last one has ended.

        What a round cannot pull is logged and counted, and asked for again in the next.
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
        """Run one round; return whether there was a store to pull, or could have been."""
        self._tally = None
        had_stores = True
        started = time.monotonic()
        self._metrics.round_running.set(1)
        work = asyncio.ensure_future(self._pull_round(self._begin))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await self._end(work)
            if not work.cancelled():
                had_stores = work.result()
        except ProducerError as exc:
            log.error("round.failed", code=exc.code, reason=str(exc))  # noqa: TRY400 - no bug, no traceback
            self._note(str(exc), "incomplete", started)
        else:
            missing = self._missing()
            result = "incomplete" if missing else "complete" if had_stores else "left"
            self._note(missing, result, started)
        finally:
            stopping.cancel()
            work.cancel()
            self._metrics.round_running.set(0)
        return had_stores

    def _begin(self, tally: Tally) -> None:
        self._tally = tally
        if self._is_stopping:
            tally.stop(_TOLD)
        self._metrics.follow(tally)

    async def _end(self, work: asyncio.Future[bool]) -> None:
        """Let what is under way finish, in time; begin nothing new."""
        self._is_stopping = True
        if self._tally is not None:
            self._tally.stop(_TOLD)
        await asyncio.wait({work}, timeout=self._schedule.stop_timeout_seconds)
        if not work.done():
            log.warning("round.cancelled", outcome="the next run asks for the rest")
            work.cancel()
            await asyncio.wait({work})

    def _missing(self) -> str | None:
        tally = self._tally
        if tally is None or tally.is_complete:
            return None
        why = tally.stopped_by or (tally.failures[0].message if tally.failures else "interrupted")
        return f"{tally.failed} failed and {tally.untried} not tried of {tally.total}: {why}"

    def _note(self, problem: str | None, result: str, started: float) -> None:
        seconds = time.monotonic() - started
        self.problem = problem
        self._metrics.round_seconds.set(seconds)
        self._metrics.rounds.labels(result).inc()
        if result == "complete":
            self._metrics.last_complete.set_to_current_time()
        tally = self._tally or Tally(0)
        log.info(
            "round.ended",
            result=result,
            seconds=round(seconds, 3),
            stored=tally.stored,
            unchanged=tally.unchanged,
            failed=tally.failed,
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
