"""Carrying out settlements step by step: dead-letter, delete in batches, delay, release.

SQS reports failures entry by entry. A message that could not be deleted comes again, which changes
no table.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from consumer.aws.sqs import BATCH_SIZE, Delivery, Queue, in_batches
from consumer.errors import Transient
from consumer.ingest.outcome import Failed
from consumer.messages.dead_letters import DeadLetters
from consumer.messages.leases import Leases
from consumer.messages.settlement import Retry, Settle
from consumer.metrics import MESSAGES_SETTLED, OBJECTS_ENDED, Settled
from schemas.codes import State

log = structlog.get_logger()

_DELETE_WAIT_SECONDS = 0.02

# Does one thing, or raises ConsumerError when it could not; may be repeated.
Step = Callable[[], Awaitable[None]]


class Settler:
    """Settles the messages of one queue."""

    def __init__(self, queue: Queue, dead_letters: DeadLetters, leases: Leases) -> None:
        self._queue = queue
        self._dead_letters = dead_letters
        self._leases = leases
        self._deletions: list[tuple[Delivery, asyncio.Future[bool]]] = []

    def steps(self, delivery: Delivery, decision: Retry | Settle) -> list[Step]:
        """Return what is to be done about a message, in this order, so that nothing gets lost.

        A crash between any two steps repeats the ones before it, and changes no table.
        """
        if isinstance(decision, Retry):
            return [
                *(partial(self._note, delivery, failed, decision) for failed in decision.failures),
                partial(self._retry, delivery, decision),
            ]
        alone = decision.is_of_one_object
        return [
            *(
                partial(self._dead_letter, delivery, failed, alone=alone)
                for failed in decision.dead_lettered
            ),
            *(partial(self._ignore, delivery, failed) for failed in decision.ignored),
            partial(self._conclude, delivery, decision),
        ]

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Make messages receivable by others at once."""
        async for batch in in_batches(deliveries):
            try:
                await self._queue.change_visibility(batch, 0)
                MESSAGES_SETTLED.labels(Settled.RELEASED, "").inc(len(batch))
            except Transient as error:
                log.warning("release_failed", code=error.code, error=str(error))

    async def _dead_letter(self, delivery: Delivery, failed: Failed, *, alone: bool) -> None:
        log_key = await self._dead_letters.send(delivery, failed, alone=alone)
        _tell("object_dead_lettered", failed, log_key)

    async def _ignore(self, delivery: Delivery, failed: Failed) -> None:
        await self._dead_letters.ignore(delivery, failed)
        _tell("failure_ignored", failed, None)

    async def _note(self, delivery: Delivery, failed: Failed, retry: Retry) -> None:
        log_key = await self._dead_letters.note(delivery, failed, is_last=retry.is_last)
        _tell(
            "object_retried",
            failed,
            log_key,
            receive_count=delivery.receive_count,
            last=retry.is_last,
        )

    async def _retry(self, delivery: Delivery, retry: Retry) -> None:
        # The lease task may have an extension of this very message under way, which would overwrite
        # the delay. Let go first, so that it starts no other, then wait for the one that runs.
        self._leases.let_go(delivery)
        await self._leases.wait_for_extension()
        await self._queue.change_visibility([delivery], retry.delay_seconds)
        MESSAGES_SETTLED.labels(Settled.RETRIED, retry.failures[0].error.code).inc()

    async def _conclude(self, delivery: Delivery, decision: Settle) -> None:
        gone = await self._delete(delivery)
        outcome = Settled.DEAD_LETTERED if decision.dead_lettered else Settled.DELETED
        failures = (*decision.dead_lettered, *decision.ignored)
        code = failures[0].error.code if failures else ""
        MESSAGES_SETTLED.labels(outcome if gone else Settled.KEPT, code).inc()
        for done in decision.done:
            OBJECTS_ENDED.labels(done.state, "").inc()
        for failed in decision.dead_lettered:
            OBJECTS_ENDED.labels(State.DEAD_LETTERED, failed.error.code).inc()
        for failed in decision.ignored:
            OBJECTS_ENDED.labels(State.IGNORED, failed.error.code).inc()

    async def _delete(self, delivery: Delivery) -> bool:
        """Delete a message together with its neighbours; say whether it is gone."""
        gone: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._deletions.append((delivery, gone))
        if len(self._deletions) < BATCH_SIZE:
            # The first of a batch waits for others; whoever wakes up first deletes for all.
            await asyncio.sleep(_DELETE_WAIT_SECONDS)
        # While we slept, another task may have taken our entry into its batch, and its call may
        # still be under way: then there is nothing to flush, and its answer comes to our future.
        while any(waiting is gone for _, waiting in self._deletions):
            await self._flush()
        return await gone

    async def _flush(self) -> None:
        # Taken out before the await: no two tasks may delete the same entry.
        batch, self._deletions = self._deletions[:BATCH_SIZE], self._deletions[BATCH_SIZE:]
        try:
            kept = await self._queue.delete([delivery for delivery, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, all of the batch wait for it
            for _, gone in batch:
                # Who waited may have been cancelled meanwhile.
                if not gone.done():
                    gone.set_exception(error)
            return
        except asyncio.CancelledError:
            # It is the one who flushes that was cancelled: nobody else answers for the others.
            for _, gone in batch:
                gone.cancel()
            raise
        for delivery, gone in batch:
            # The waiting task may have been cancelled while the call ran: its future is done.
            if delivery in kept:
                log.warning("deletion_failed", message_id=delivery.message_id)
            if not gone.done():
                gone.set_result(delivery not in kept)


def _tell(event: str, failed: Failed, log_key: str | None, **more: object) -> None:
    # Not the error's message, which may quote the document: the error log has it.
    log.warning(
        event,
        code=failed.error.code,
        object_key=failed.event.key if failed.event else None,
        error_log_key=log_key,
        **more,
    )
