"""A worker with everything around it, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from consumer.aws.sqs import Delivery
from consumer.errors import ConsumerError, Permanent
from consumer.ingest.handler import Handler
from consumer.ingest.in_hand import ByteBudget
from consumer.ingest.outcome import Done, Outcome
from consumer.messages.breakers import Breakers, HeldMessages, OutageBreaker
from consumer.messages.dead_letters import DeadLetters
from consumer.messages.delivery_tasks import DeliveryTasks, Slots
from consumer.messages.failure_breaker import BurstLimits, FailureBreaker
from consumer.messages.leases import Leases
from consumer.messages.settlement import Terms
from consumer.messages.settler import Settler
from consumer.messages.worker import Limits, Worker
from consumer.policy import Policy
from schemas.codes import ErrorCode, State
from tests.support.consumer_fakes import FakeLedger, FakeLogs, FakeQueue, FakeRows, now

Work = Callable[[Delivery], Awaitable[list[Outcome]]]

DONE: list[Outcome] = [Done(State.LOADED)]
BROKEN = Permanent(ErrorCode.JSON_MALFORMED, "not JSON")
MAX_RECEIVES = 5


@dataclass
class ScriptedHandler:
    """Does as told, and counts how many messages are in hand."""

    work: Work
    handled: list[str] = field(default_factory=list)
    in_hand: int = 0
    most: int = 0

    async def handle(self, delivery: Delivery) -> list[Outcome]:
        """Handle one message."""
        self.handled.append(delivery.message_id)
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        try:
            return await self.work(delivery)
        finally:
            self.in_hand -= 1


class Shop:
    """A worker with everything around it.

    `limits` are those of the worker; `policy`, `burst` and `cautious` replace the usual ones.
    """

    def __init__(self, queue: FakeQueue, work: Work, **limits: Any) -> None:
        self.queue, self.dead = queue, FakeQueue()
        self.logs, self.ledger = FakeLogs(), FakeLedger()
        self.handler = ScriptedHandler(work)
        self.byte_budget = ByteBudget(1000)
        self.down: ConsumerError | None = None
        self.locked = False
        self.outage_breaker = OutageBreaker(self._probe)
        self.failure_breaker = FailureBreaker(
            limits.pop("burst", BurstLimits(50, 50, 300)),
            begins_cautious=limits.pop("cautious", False),
        )
        self.leases = Leases(queue, queue.visibility_seconds)
        terms = Terms(limits.pop("policy", Policy()), 2, 600, MAX_RECEIVES)
        dead_letters = DeadLetters(self.dead, self.logs, self.ledger.record, FakeRows())
        settler = Settler(queue, dead_letters, self.leases, terms)
        handler = cast("Handler", self.handler)
        self.held = HeldMessages(limits.pop("held", 10))
        self.breakers = Breakers(
            self.byte_budget, self.outage_breaker, self.failure_breaker, self.held
        )
        slots = Slots(limits.pop("in_flight_messages", 20))
        tasks = DeliveryTasks(handler, settler, self.leases, terms, self.breakers, slots)
        settings: dict[str, Any] = {
            "receivers": 2,
            "receive_wait_seconds": 20,
            "shutdown_timeout_seconds": 25,
        }
        self.worker = Worker(
            queue, tasks, settler, self.leases, self.breakers, Limits(**settings | limits)
        )

    async def _probe(self) -> None:
        if self.down is not None:
            raise self.down

    async def run_until(self, seconds: float) -> None:
        """Let it work, stop it at that time, and wait for its end."""
        running = asyncio.create_task(self.worker.run())
        await asyncio.sleep(seconds - now())
        self.worker.stop()
        await running


def taking(seconds: float, outcomes: list[Outcome] | None = None) -> Work:
    """Handle each message in so many seconds."""

    async def work(_: Delivery) -> list[Outcome]:
        await asyncio.sleep(seconds)
        return DONE if outcomes is None else outcomes

    return work


async def for_ever(_: Delivery) -> list[Outcome]:
    """Handle a message and never come to an end."""
    await asyncio.Event().wait()
    raise AssertionError
