"""The pool: receives for free capacity, works concurrently, settles, and stops without loss.

Each message gets a task of its own. What is received is being worked on: nothing is queued.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

import structlog

from consumer import metrics
from consumer.aws.sqs import BATCH_SIZE, Delivery, Queue
from consumer.errors import FailureBurst, Transient, where
from consumer.messages.breakers import Breakers
from consumer.messages.delivery_tasks import DeliveryTasks
from consumer.messages.leases import Leases
from consumer.messages.settler import Settler

log = structlog.get_logger()

_IDLE_POLL_SECONDS = 0.2
_LAST_RELEASES_SECONDS = 3.0  # ECS kills five seconds after our default deadline


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held, and how long things may take."""

    receivers: int
    receive_wait_seconds: int
    shutdown_timeout_seconds: float


@dataclass
class Worker:
    """Works one queue until told to stop."""

    queue: Queue
    tasks: DeliveryTasks
    settler: Settler
    leases: Leases
    breakers: Breakers
    limits: Limits

    def __post_init__(self) -> None:
        longest_seconds = self.leases.longest_poll_seconds
        self._wait_seconds = min(self.limits.receive_wait_seconds, longest_seconds)
        self._slots = self.tasks.slots
        self._in_flight: dict[asyncio.Task[None], Delivery] = {}
        metrics.OLDEST_MESSAGE_SECONDS.set_function(self._oldest_seconds)
        self._polls, self._no_poll = 0, asyncio.Event()
        self.stopping = asyncio.Event()  # once told to stop
        self._last_receipt = monotonic()
        self._deadline = float("inf")

    def _oldest_seconds(self) -> float:
        sent = [one.sent_at for one in self._in_flight.values() if one.sent_at]
        return max(0.0, (datetime.now(UTC) - min(sent)).total_seconds()) if sent else 0.0

    def stop(self) -> None:
        """Receive nothing more; `run` returns once what is in hand is finished or released."""
        if not self.stopping.is_set():
            self._deadline = monotonic() + self.limits.shutdown_timeout_seconds
            self.stopping.set()
            log.info("stop_requested", messages_in_flight=len(self._in_flight))
            # A receiver may wait for room that only the end of held work would give: it wakes up,
            # sees that we are stopping, and ends.
            self._slots.give_back(self.limits.receivers)

    async def run(self, until_idle_seconds: float | None = None) -> None:
        """Receive and work until `stop`, or until the queue stayed empty for that long.

        Raises:
            FailureBurst: too much failed for the queue ever to become empty; only with
                `until_idle_seconds`.
        """
        self._last_receipt = monotonic()
        async with asyncio.TaskGroup() as whole:
            # A lease task that fails takes the process down: without it nothing may be held.
            keeping = [
                whole.create_task(self.leases.keep(), name="keep leases"),
                whole.create_task(self.breakers.outage.keep(), name="probe in outages"),
                whole.create_task(self._give_up_in_bursts(), name="give up in bursts"),
            ]
            await self._receive_all(until_idle_seconds)
            await self._drain()
            for task in keeping:
                task.cancel()
        if until_idle_seconds is not None and self.breakers.failure.reason:
            raise FailureBurst(self.breakers.failure.reason)

    async def _receive_all(self, until_idle_seconds: float | None) -> None:
        async with asyncio.TaskGroup() as receiving:
            polls = [
                receiving.create_task(self._receive_until_stopped(), name=f"receive {number}")
                for number in range(self.limits.receivers)
            ]
            if until_idle_seconds is not None:
                receiving.create_task(self._stop_when_idle(until_idle_seconds), name="stop idle")
            await self.stopping.wait()
            # A poll that is still not answered by then brings nothing any more.
            await asyncio.wait(polls, timeout=self.limits.shutdown_timeout_seconds)
            for poll in polls:
                poll.cancel()

    async def _receive_until_stopped(self) -> None:
        while not self.stopping.is_set():
            taken = await self._slots.take(BATCH_SIZE)
            try:
                # From before the call: the leases run from some moment of it, and must not be
                # believed to run longer than they do.
                started = monotonic()
                deliveries = await self._receive(taken)
            except BaseException:
                self._slots.give_back(taken)
                raise
            self._slots.give_back(taken - len(deliveries))
            self._begin(deliveries, started)

    async def _receive(self, limit: int) -> list[Delivery]:
        # Asked here, not before we waited for room: a breaker may have opened meanwhile. A long
        # poll that is under way is never cancelled: SQS would hand out messages that nobody gets.
        allowed = 0 if self.stopping.is_set() else self.breakers.allowance(limit)
        if not allowed:
            await self._pause(_IDLE_POLL_SECONDS)
            return []
        is_probe = self.breakers.failure.is_probing
        self._polls += 1
        self._no_poll.clear()
        try:
            deliveries = await self.queue.receive(allowed, self._wait_seconds)
        except Transient as error:
            self.breakers.outage.trip(error)
            return []
        finally:
            self._polls -= 1
            if not self._polls:
                self._no_poll.set()
        if is_probe and not deliveries:
            self.breakers.failure.no_probe_came()
        return deliveries

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    def _begin(self, deliveries: Sequence[Delivery], received_at: float) -> None:
        if not deliveries:
            return
        metrics.MESSAGES_RECEIVED.inc(len(deliveries))
        self._last_receipt = monotonic()
        # `stop` may have come while the poll was under way: what it brought is worked on like the
        # rest. Given back, it would go through the last polls of all who stop, a receive for each.
        for delivery in deliveries:
            # Known before the first step of its task, which checks it.
            self.leases.hold(delivery, received_at)
            task = asyncio.create_task(
                self.tasks.work(delivery), name=f"work {delivery.message_id}"
            )
            self._in_flight[task] = delivery
            metrics.IN_FLIGHT_MESSAGES.inc()
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        delivery = self._in_flight.pop(task)
        metrics.IN_FLIGHT_MESSAGES.dec()
        self.leases.let_go(delivery)
        self._slots.leave(delivery)
        self._last_receipt = monotonic()
        if not task.cancelled() and (error := task.exception()):
            log.error("work_failed", message_id=delivery.message_id, where=where(error))

    async def _stop_when_idle(self, seconds: float) -> None:
        """Stop once nothing is in hand and the queue has been empty for `seconds`."""
        while not self.stopping.is_set():
            await self._pause(_IDLE_POLL_SECONDS)
            if self.breakers.failure.is_open:
                self.stop()
            idle = monotonic() - self._last_receipt
            if self._in_flight or idle < seconds:
                continue
            # Messages that wait for their retry are invisible, not gone. While we ask, a poll may
            # bring some: they are finished before the end.
            try:
                if (await self.queue.depth()).total == 0:
                    self.stop()
            except Transient as error:
                log.warning("depth_failed", code=error.code, error=str(error))
            self._last_receipt = max(self._last_receipt, monotonic() - seconds + 1)

    async def _drain(self) -> None:
        """Finish what is in hand within the time given, then release the rest."""
        # The receivers have ended: nothing is added any more. A copy, because what `close` cancels
        # leaves `_in_flight` while we wait, and is still to be released afterwards.
        in_hand = dict(self._in_flight)
        # What waits for a remedy would still wait at the deadline.
        self.tasks.close()
        if in_hand:
            # The last long poll and the work in hand share one deadline.
            await asyncio.wait(in_hand, timeout=max(0.0, self._deadline - monotonic()))
        try:
            async with asyncio.timeout(_LAST_RELEASES_SECONDS):
                await self._give_up(in_hand)
        except TimeoutError:
            remedy = "none needed, the visibility timeout gives them back"
            log.warning("release_failed", remedy=remedy)

    async def _give_up_in_bursts(self) -> None:
        """Release what is in hand whenever too much failed: others may be able to load it."""
        while True:
            await self.breakers.failure.wait_open()
            # A poll that is under way would bring back at once what is released, and what it brings
            # is in hand by the time this goes on: `_begin` follows it without an await between.
            await self._no_poll.wait()
            await self._give_up(dict(self._in_flight))
            await self.breakers.failure.wait_closed()

    async def _give_up(self, in_hand: Mapping[asyncio.Task[None], Delivery]) -> None:
        """Cancel work and make its messages receivable at once, but for what is being settled."""
        for task in in_hand:
            task.cancel()
        await asyncio.gather(*in_hand, return_exceptions=True)
        # Not every cancelled task ends as one: a settlement that had begun was finished.
        left = [delivery for task, delivery in in_hand.items() if task.cancelled()]
        if left:
            # An extension that was sent before `_end` let go would hide them again.
            await self.leases.wait_for_extension()
            await self.settler.release(left)
            log.warning("work_released", messages=len(left))
