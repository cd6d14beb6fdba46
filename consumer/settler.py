"""Carrying out settlements: parking, deleting in batches, delaying, releasing.

Failures are told entry by entry: a message that could not be deleted comes again, which the tables
do not notice.
"""

import asyncio
from collections.abc import Sequence

import structlog

from consumer import metrics
from consumer.deadletters import DeadLetters
from consumer.errors import Transient
from consumer.leases import Leases
from consumer.settlement import Failed, Retry, Settle
from consumer.sqs import BATCH_SIZE, Delivery, Queue, in_batches

log = structlog.get_logger()

_DELETE_WAIT_SECONDS = 0.02


class Settler:
    """Settles the messages of one queue."""

    def __init__(self, queue: Queue, dead_letters: DeadLetters, leases: Leases) -> None:
        self._queue = queue
        self._dead_letters = dead_letters
        self._leases = leases
        self._deletions: list[tuple[Delivery, asyncio.Future[bool]]] = []

    async def settle(self, delivery: Delivery, settlement: Retry | Settle, *, alone: bool) -> None:
        """Carry out a settlement; idempotent. Never raises for what AWS or PostgreSQL do.

        Args:
            delivery: The message.
            settlement: What was decided.
            alone: Whether the message announced one object only.
        """
        try:
            if isinstance(settlement, Retry):
                await self._retry(delivery, settlement)
                return
            for failed in settlement.failures:
                await self._dead_letters.park(delivery, failed, alone=alone)
                _tell(failed)
            outcome = "dead_lettered" if settlement.failures else "deleted"
            metrics.MESSAGES_SETTLED.labels(
                outcome if await self._delete(delivery) else "kept"
            ).inc()
        except Transient as error:
            # The message comes again by itself once its visibility timeout ends.
            metrics.MESSAGES_SETTLED.labels("kept").inc()
            log.warning("settlement_failed", code=error.code, error=str(error))

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Make messages receivable by others at once."""
        async for batch in in_batches(deliveries):
            try:
                await self._queue.change_visibility(batch, 0)
                metrics.MESSAGES_SETTLED.labels("released").inc(len(batch))
            except Transient as error:
                log.warning("release_failed", code=error.code, error=str(error))

    async def _retry(self, delivery: Delivery, retry: Retry) -> None:
        log.warning(
            "retry",
            code=retry.error.code,
            error=str(retry.error),
            delay_seconds=retry.delay_seconds,
            receive_count=delivery.receive_count,
        )
        # An extension that came after the delay would overwrite it.
        self._leases.let_go(delivery)
        await self._leases.wait_for_extension()
        await self._queue.change_visibility([delivery], retry.delay_seconds)
        metrics.MESSAGES_SETTLED.labels("retried").inc()

    async def _delete(self, delivery: Delivery) -> bool:
        """Delete a message together with its neighbours; say whether it is gone."""
        gone: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._deletions.append((delivery, gone))
        if len(self._deletions) < BATCH_SIZE:
            # The first of a batch waits for others; whoever wakes up first deletes for all.
            await asyncio.sleep(_DELETE_WAIT_SECONDS)
        while any(waiting is gone for _, waiting in self._deletions):
            await self._flush()
        return await gone

    async def _flush(self) -> None:
        batch, self._deletions = self._deletions[:BATCH_SIZE], self._deletions[BATCH_SIZE:]
        try:
            kept = await self._queue.delete([delivery for delivery, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, all of the batch wait for it
            for _, gone in batch:
                gone.set_exception(error)
            return
        for delivery, gone in batch:
            if delivery in kept:
                log.warning("delete_failed", message_id=delivery.message_id)
            gone.set_result(delivery not in kept)


def _tell(failed: Failed) -> None:
    log.warning(
        "dead_lettered",
        code=failed.error.code,
        error=str(failed.error),
        object_key=failed.event.key if failed.event else None,
    )
