"""The way of one message, from receipt to settlement.

What waits here keeps its lease and uses up no receive of its message's budget. A message whose
lease is lost is abandoned wherever it is: another consumer may work on it by now.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from itertools import count
from typing import Any

import structlog

from consumer import metrics
from consumer.aws.sqs import RENEWED, WAS_DEAD_LETTERED, Delivery
from consumer.errors import ConsumerError, LeaseLost, LocalDisk, Transient
from consumer.ingest.handler import Handler
from consumer.ingest.outcome import Outcome
from consumer.messages.breakers import Breakers
from consumer.messages.leases import Leases
from consumer.messages.settlement import Hold, Renew, Retry, Settle, Terms, decide
from consumer.messages.settler import Settler, Step
from consumer.metrics import Settled
from consumer.policy import Reaction

log = structlog.get_logger()

_FIRST_HOLD_SECONDS, _MAX_HOLD_SECONDS = 0.2, 60.0
_GIVE_BACK_SECONDS = 3600  # four such delays fit between the first and the last of five receives
_LAST_SETTLEMENTS_SECONDS = 2.0
_TRUSTED_RECEIVES = 2


class Slots:
    """Room for the messages that are in hand, one slot for each."""

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)
        self._lent: set[Delivery] = set()

    async def take(self, most: int) -> int:
        """Wait for one slot, then take up to so many; return how many they are."""
        await self._free.acquire()
        taken = 1
        # `acquire` does not wait while the semaphore is not locked, so that no other receiver can
        # take what we just saw to be free.
        while taken < most and not self._free.locked():
            await self._free.acquire()
            taken += 1
        return taken

    def give_back(self, count: int) -> None:
        """Free slots that were taken."""
        for _ in range(count):
            self._free.release()

    def lend(self, delivery: Delivery) -> None:
        """Free the slot of a message that waits, for good; the byte budget still bounds it."""
        if delivery not in self._lent:
            self._lent.add(delivery)
            self._free.release()

    def leave(self, delivery: Delivery) -> None:
        """Free the slot of a message that is no longer in hand, unless it was lent."""
        if delivery in self._lent:
            self._lent.discard(delivery)
        else:
            self._free.release()


@dataclass
class DeliveryTasks:
    """Takes messages to their settlement; `work` runs once for each, in a task of its own."""

    handler: Handler
    settler: Settler
    leases: Leases
    terms: Terms
    breakers: Breakers
    slots: Slots

    def __post_init__(self) -> None:
        self._waiting: set[asyncio.Task[Any]] = set()
        self._suspects_turn = asyncio.Lock()
        self._is_closing = False

    def close(self) -> None:
        """Cancel the work on messages that wait for something, now and from now on."""
        # Before the loop: a task that begins to wait from now on cancels itself.
        self._is_closing = True
        # A copy: a cancelled task takes itself out of the set.
        for task in tuple(self._waiting):
            task.cancel()

    async def work(self, delivery: Delivery) -> None:
        """Take one message from receipt to settlement.

        Cancelled, it leaves the message to be given back, unless a settlement could be finished.
        """
        with structlog.contextvars.bound_contextvars(message_id=delivery.message_id):
            try:
                decision = await self._decide(delivery)
                await self._finish(delivery, decision)
            except LeaseLost:
                metrics.LEASE_LOSSES.inc()
                metrics.MESSAGES_SETTLED.labels(Settled.ABANDONED, "").inc()
                log.warning("work_abandoned", reason="lease lost")
            except ConsumerError as error:
                # The message comes again by itself once its visibility timeout ends.
                metrics.MESSAGES_SETTLED.labels(Settled.KEPT, error.code).inc()
                log.warning("settlement_failed", code=error.code, error=str(error))
            finally:
                self.breakers.held.let_go(delivery)

    async def _decide(self, delivery: Delivery) -> Renew | Retry | Settle:
        breaker = self.breakers.failure
        for tries in count(1):
            # On the first round nothing was awaited since the receipt; on later ones the lease may
            # have run out while we waited, and another consumer may load the object right now.
            self._check_lease(delivery)
            if self._would_wait_in_vain(delivery):
                return Renew()
            outcomes = await self._handle(delivery)
            decision = decide(outcomes, delivery.receive_count, self.terms)
            if isinstance(decision, Hold):
                if not self._may_hold(delivery, decision.error):
                    return Retry(_GIVE_BACK_SECONDS, decision.failures)
                await self._hold(delivery, decision.error, tries)
                continue
            self.breakers.held.no_fault_found()
            was_dead_lettered = bool(WAS_DEAD_LETTERED & delivery.attributes.keys())
            breaker.observe(decision, was_dead_lettered=was_dead_lettered)
            fails = isinstance(decision, Retry) or decision.suspicious
            # Asked after `observe`: this failure may be the one that opened the breaker, and others
            # may have opened it while we handled ours. A failure is never sent while it is open.
            if not (fails and breaker.is_open):
                return decision
            await self._wait(breaker.wait_closed())
        raise AssertionError("unreachable")

    async def _handle(self, delivery: Delivery) -> list[Outcome]:
        """Handle a message; those that came twice before take turns.

        The processes that had it may have been killed for want of memory. One at a time, only the
        document that kills is received until the queue dead-letters it.
        """
        if not _takes_turns(delivery):
            return await self.handler.handle(delivery)
        await self._wait(self._suspects_turn.acquire())
        try:
            # Our turn may have come after minutes, and the lease may have run out meanwhile.
            self._check_lease(delivery)
            return await self.handler.handle(delivery)
        finally:
            self._suspects_turn.release()

    def _would_wait_in_vain(self, delivery: Delivery) -> bool:
        """Say whether a message waits for its turn behind one that may kill, at its last receive.

        If that one does kill, this one would be dead-lettered although nobody ever read it.
        """
        is_last = self.terms.is_last(delivery.receive_count)
        return is_last and _takes_turns(delivery) and self._suspects_turn.locked()

    def _may_hold(self, delivery: Delivery, error: Transient) -> bool:
        """Say whether a message may be held; with a fault of its own object only one of few."""
        if not error.is_about_object or self.breakers.held.may_hold(delivery):
            return True
        if not self.terms.is_last(delivery.receive_count):
            return False
        # Given back, it would be dead-lettered: it is held, and its slot is for others.
        self.slots.lend(delivery)
        return True

    async def _finish(self, delivery: Delivery, decision: Renew | Retry | Settle) -> None:
        # A task of its own, because the shield lets our cancellation pass it by.
        finishing = asyncio.create_task(
            self._carry_out(delivery, decision), name=f"settle {delivery.message_id}"
        )
        try:
            await asyncio.shield(finishing)
        except asyncio.CancelledError:
            # Its steps go on: the dead letter may be sent, the deletion under way. Given back now,
            # the message would be handled again although its settlement had begun.
            await asyncio.wait([finishing], timeout=_LAST_SETTLEMENTS_SECONDS)
            # `cancel` is false when it has ended meanwhile: then it counts, unless it failed.
            if finishing.cancel() or finishing.cancelled() or finishing.exception():
                raise

    async def _carry_out(self, delivery: Delivery, decision: Renew | Retry | Settle) -> None:
        for step in self.settler.steps(delivery, decision):
            await self._insist(step, delivery)

    async def _insist(self, step: Step, delivery: Delivery) -> None:
        """Take a step of a settlement, again and again while a fault of ours prevents it."""
        for tries in count(1):
            # Before each step and each try: since the last await the lease may have run out. A
            # message that another consumer holds must get no second dead letter from us.
            self._check_lease(delivery)
            try:
                await step()
            except ConsumerError as error:
                if self.terms.policy.reaction(error) is not Reaction.HOLD:
                    raise
                await self._hold(delivery, error, tries)
            else:
                return

    async def _hold(self, delivery: Delivery, error: ConsumerError, tries: int) -> None:
        """Wait until a fault of ours is mended, and ever longer: a probe may have missed it."""
        self.breakers.held.hold(delivery, error.code)
        is_about_object = isinstance(error, Transient) and error.is_about_object
        if isinstance(error, LocalDisk) or not is_about_object:
            self.breakers.outage.trip(error)
        await self._wait(self.breakers.outage.wait_closed())
        # The exponent is bounded before it can overflow a float: what waits may wait for days.
        pause_seconds = _FIRST_HOLD_SECONDS * 2 ** min(tries, 30)
        await self._wait(asyncio.sleep(min(_MAX_HOLD_SECONDS, pause_seconds)))

    async def _wait(self, remedy: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs belongs to a task
        self._waiting.add(task)
        try:
            # `close` may have come between two waits, when we were not in the set.
            if self._is_closing:
                task.cancel()
            await remedy
        finally:
            self._waiting.discard(task)

    def _check_lease(self, delivery: Delivery) -> None:
        if not self.leases.is_held(delivery):
            raise LeaseLost(delivery.message_id)


def _takes_turns(delivery: Delivery) -> bool:
    return delivery.receive_count > _TRUSTED_RECEIVES or RENEWED in delivery.attributes
