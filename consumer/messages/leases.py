"""Leases: keeping what we hold invisible to others, from receipt to settlement.

The clock that counts is our own: SQS answers 200 to a deletion whose receipt handle has expired,
and deletes nothing. Whoever works on a message whose lease is lost must abandon it.
"""

import asyncio
from collections.abc import Sequence
from time import monotonic

import structlog

from consumer import metrics
from consumer.aws.sqs import Delivery, Queue, in_batches
from consumer.errors import LeaseLost, Transient

log = structlog.get_logger()


class Leases:
    """The leases of what this process holds, extended at half of the visibility timeout."""

    def __init__(self, queue: Queue, visibility_seconds: int) -> None:
        self._queue = queue
        self._visibility_seconds = visibility_seconds
        self._expiry: dict[Delivery, float] = {}
        self._last_round = monotonic()
        self._extending = asyncio.Lock()

    @property
    def longest_poll_seconds(self) -> int:
        """How long a receive may take: a lease counts from its start, and half must be left."""
        return max(1, self._visibility_seconds // 2)

    def hold(self, delivery: Delivery, received_at: float) -> None:
        """Start keeping a lease; `received_at` is `monotonic()` from before its receive call."""
        self._expiry[delivery] = received_at + self._visibility_seconds

    def let_go(self, delivery: Delivery) -> None:
        """Stop extending."""
        self._expiry.pop(delivery, None)

    async def wait_for_extension(self) -> None:
        """Wait until no extension is under way: it would overwrite a retry delay set now."""
        async with self._extending:
            pass

    @property
    def is_on_time(self) -> bool:
        """Whether the task that extends leases ran lately, or has not begun."""
        return monotonic() - self._last_round < self._visibility_seconds / 2

    def is_held(self, delivery: Delivery) -> bool:
        """Say whether the message is certainly still ours."""
        return self._expiry.get(delivery, 0.0) > monotonic()

    async def keep(self) -> None:
        """Extend leases until cancelled."""
        while True:
            await asyncio.sleep(min(1.0, self._visibility_seconds / 8))
            # Before the calls: one that hangs must make us late.
            self._last_round = monotonic()
            due = self._last_round + self._visibility_seconds / 2
            held = [delivery for delivery, expiry in self._expiry.items() if expiry < due]
            async for batch in in_batches(held):
                await self._extend(batch)

    async def _extend(self, batch: Sequence[Delivery]) -> None:
        async with self._extending:
            # While we waited for the lock, or for the batch before, some may have been settled: an
            # extension would overwrite a retry's delay. `wait_for_extension` relies on this check
            # standing inside the lock.
            batch = [delivery for delivery in batch if delivery in self._expiry]
            if not batch:
                return
            # From before the call, as SQS counts from some moment of it.
            asked_at = monotonic()
            try:
                failed = await self._queue.change_visibility(batch, self._visibility_seconds)
            except Transient as error:
                log.warning("lease_extension_failed", code=error.code, error=str(error))
                return
        for delivery in batch:
            # While the call ran, the message may have been settled. To write its expiry now would
            # keep a lease on what is gone, for ever.
            if delivery not in self._expiry:
                continue
            if delivery not in failed:
                metrics.LEASE_EXTENSIONS.inc()
                self._expiry[delivery] = asked_at + self._visibility_seconds
            elif isinstance(failed[delivery], LeaseLost):
                self.let_go(delivery)
                log.warning("lease_lost", message_id=delivery.message_id)
