"""The pool: receives for free capacity, works concurrently, settles, and stops without loss.

One task receives; each message gets a task of its own, from receipt to settlement. Nothing is
queued in between: what is received is being worked on, and what cannot be is not received.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from time import monotonic

import structlog

from consumer import metrics
from consumer.admission import Admission
from consumer.breaker import Breaker
from consumer.deadletters import DeadLetters
from consumer.errors import ConsumerError, Transient
from consumer.handler import Handler
from consumer.leases import Leases
from consumer.settlement import Backoff, Settle, decide
from consumer.settler import Settler
from consumer.sqs import BATCH_SIZE, Delivery, Queue

log = structlog.get_logger()

_IDLE_POLL_SECONDS = 0.2
_MAX_HOLD_SECONDS = 60.0
_LAST_SETTLEMENTS_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held, and how long things may take."""

    in_flight_messages: int
    receivers: int
    receive_wait_seconds: int
    shutdown_timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Desk:
    """What a message passes on its way."""

    handler: Handler
    dead_letters: DeadLetters
    leases: Leases
    admission: Admission
    breaker: Breaker
    backoff: Backoff


class Worker:
    """Works one queue until told to stop."""

    def __init__(self, queue: Queue, desk: Desk, limits: Limits) -> None:
        self._queue = queue
        self._desk = desk
        self._settler = Settler(queue, desk.dead_letters, desk.leases)
        self._limits = limits
        self._wait_seconds = min(limits.receive_wait_seconds, desk.leases.longest_poll_seconds)
        self._free = asyncio.Semaphore(limits.in_flight_messages)
        self._in_flight: dict[asyncio.Task[None], Delivery] = {}
        self._stopping = asyncio.Event()
        self._last_receipt = monotonic()
        self._deadline = float("inf")

    def stop(self) -> None:
        """Receive nothing more; `run` returns once what is in hand is finished or released."""
        if not self._stopping.is_set():
            self._deadline = monotonic() + self._limits.shutdown_timeout_seconds
            self._stopping.set()
            # Receivers that wait for room wake up, see that we are stopping, and end.
            self._give_back(self._limits.receivers)

    async def run(self, until_idle_seconds: float | None = None) -> None:
        """Receive and work until `stop`, or until the queue stayed empty for that long."""
        self._last_receipt = monotonic()
        async with asyncio.TaskGroup() as whole:
            # A lease task that fails takes the process down: without it nothing may be held.
            keeping = [
                whole.create_task(self._desk.leases.keep()),
                whole.create_task(self._desk.breaker.keep()),
            ]
            async with asyncio.TaskGroup() as receiving:
                for _ in range(self._limits.receivers):
                    receiving.create_task(self._receive_until_stopped())
                if until_idle_seconds is not None:
                    receiving.create_task(self._stop_when_idle(until_idle_seconds))
            await self._drain()
            for task in keeping:
                task.cancel()

    async def _receive_until_stopped(self) -> None:
        while not self._stopping.is_set():
            taken = await self._take_capacity()
            try:
                started = monotonic()
                deliveries = await self._receive(taken)
            except BaseException:
                self._give_back(taken)
                raise
            self._give_back(taken - len(deliveries))
            await self._begin(deliveries, started)

    async def _take_capacity(self) -> int:
        """Wait for room for one message, then take room for up to a batch of them."""
        await self._free.acquire()
        taken = 1
        while taken < BATCH_SIZE and not self._free.locked():
            await self._free.acquire()
            taken += 1
        return taken

    def _give_back(self, count: int) -> None:
        for _ in range(count):
            self._free.release()

    async def _receive(self, limit: int) -> list[Delivery]:
        # A long poll is never cancelled: SQS would hand out messages that nobody gets.
        if self._desk.admission.is_full or self._desk.breaker.is_open:
            await self._pause(_IDLE_POLL_SECONDS)
            return []
        if self._stopping.is_set():
            return []
        try:
            return await self._queue.receive(limit, self._wait_seconds)
        except Transient as error:
            self._desk.breaker.trip(error)
            return []

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _begin(self, deliveries: Sequence[Delivery], received_at: float) -> None:
        if not deliveries:
            return
        metrics.MESSAGES_RECEIVED.inc(len(deliveries))
        self._last_receipt = monotonic()
        if self._stopping.is_set():
            # What the last poll brought goes back untouched, receivable at once.
            self._give_back(len(deliveries))
            await self._settler.release(deliveries)
            return
        for delivery in deliveries:
            self._desk.leases.hold(delivery, received_at)
            task = asyncio.create_task(self._work(delivery))
            self._in_flight[task] = delivery
            metrics.IN_FLIGHT_MESSAGES.inc()
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        delivery = self._in_flight.pop(task)
        metrics.IN_FLIGHT_MESSAGES.dec()
        self._desk.leases.let_go(delivery)
        self._free.release()
        self._last_receipt = monotonic()
        if not task.cancelled() and (error := task.exception()):
            log.error("work_failed", message_id=delivery.message_id, error=repr(error))

    async def _work(self, delivery: Delivery) -> None:
        """Take one message from receipt to settlement."""
        with structlog.contextvars.bound_contextvars(message_id=delivery.message_id):
            for tries in count(1):
                # Whenever we waited, another consumer may have got the message meanwhile. What
                # was committed is idempotent; nothing further is.
                if not self._desk.leases.is_held(delivery):
                    log.warning("work_abandoned", reason="lease lost")
                    return
                outcomes = await self._desk.handler.handle(delivery)
                settlement = decide(outcomes, delivery.receive_count, self._desk.backoff)
                if isinstance(settlement, Settle) or not self._waits_for(settlement.error):
                    break
                # Held, and tried ever more seldom: what it needs may be down though the probe
                # says otherwise, and giving it back would use up its receives.
                await self._desk.breaker.wait_closed()
                await self._pause(min(_MAX_HOLD_SECONDS, _IDLE_POLL_SECONDS * 2**tries))
            if not self._desk.leases.is_held(delivery):
                log.warning("settlement_abandoned", reason="lease lost")
                return
            alone = len(outcomes) == 1
            settling = asyncio.ensure_future(
                self._settler.settle(delivery, settlement, alone=alone)
            )
            try:
                await asyncio.shield(settling)
            except asyncio.CancelledError:
                # A settlement that has begun is finished even while stopping: its message must
                # not be given back as if nothing had been done.
                await asyncio.wait([settling], timeout=_LAST_SETTLEMENTS_SECONDS)

    def _waits_for(self, error: ConsumerError) -> bool:
        """Open the breaker for a fault of ours: its message is held and tried again."""
        if self._desk.breaker.concerns(error):
            self._desk.breaker.trip(error)
            return True
        return False

    async def _stop_when_idle(self, seconds: float) -> None:
        """Stop once nothing is in hand and the queue has been empty for `seconds`."""
        while not self._stopping.is_set():
            await self._pause(_IDLE_POLL_SECONDS)
            idle = monotonic() - self._last_receipt
            if self._in_flight or idle < seconds:
                continue
            # Messages that wait for their retry are invisible, not gone.
            try:
                if (await self._queue.depth()).total == 0:
                    self.stop()
            except Transient as error:
                log.warning("depth_failed", code=error.code, error=str(error))
            self._last_receipt = max(self._last_receipt, monotonic() - seconds + 1)

    async def _drain(self) -> None:
        """Finish what is in hand within the time given, then release the rest."""
        if not self._in_flight:
            return
        # The last long poll and the work in hand share one deadline.
        left_seconds = max(0.0, self._deadline - monotonic())
        if self._desk.breaker.is_open:
            left_seconds = 0.0
        in_hand = dict(self._in_flight)
        _, unfinished = await asyncio.wait(in_hand, timeout=left_seconds)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        left = [in_hand[task] for task in unfinished if task.cancelled()]
        await self._desk.leases.wait_for_extension()
        await self._settler.release(left)
        if left:
            log.warning("released_unfinished", messages=len(left))
