"""Carrying out settlements step by step: dead-letter, delete in batches, delay, release."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from consumer.aws.sqs import (
    BATCH_SIZE,
    MAX_ATTRIBUTES,
    ORIGINAL_ID,
    RENEWED,
    Delivery,
    Queue,
    in_batches,
)
from consumer.errors import Transient
from consumer.messages.dead_letters import DeadLetters
from consumer.messages.leases import Leases
from consumer.messages.settlement import Renew, Retry, Settle, Terms
from consumer.metrics import MESSAGES_SETTLED, OBJECTS_ENDED, Settled
from schemas.codes import State

log = structlog.get_logger()

_DELETE_WAIT_SECONDS = 0.02

# Does one thing, or raises ConsumerError when it could not; may be repeated.
Step = Callable[[], Awaitable[None]]


class Settler:
    """Settles the messages of one queue."""

    def __init__(
        self, queue: Queue, dead_letters: DeadLetters, leases: Leases, terms: Terms
    ) -> None:
        self._queue = queue
        self._dead_letters = dead_letters
        self._leases = leases
        self._terms = terms
        self._batch: list[Delivery] = []  # to be deleted by `_deletion`

    def steps(self, delivery: Delivery, decision: Renew | Retry | Settle) -> list[Step]:
        """Return what is to be done about a message, in this order, so that nothing gets lost.

        A crash between any two steps repeats the ones before it, and changes no table.
        """
        if isinstance(decision, Renew):
            return [partial(self._renew, delivery)]
        if isinstance(decision, Retry):
            note = partial(self._dead_letters.note, delivery, is_last=decision.is_last)
            return [
                *(partial(note, failed) for failed in decision.failures),
                partial(self._retry, delivery, decision),
            ]
        is_alone = len((*decision.done, *decision.dead_lettered, *decision.ignored)) == 1
        send = partial(self._dead_letters.send, delivery, alone=is_alone)
        ignore = partial(self._dead_letters.ignore, delivery)
        return [
            *(partial(send, failed) for failed in decision.dead_lettered),
            *(partial(ignore, failed) for failed in decision.ignored),
            partial(self._conclude, delivery, decision),
        ]

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Make messages receivable by others at once; what fails is logged.

        One at its last receive is sent again, because its next receive would dead-letter it.
        """
        last = {one for one in deliveries if self._terms.is_last(one.receive_count)}
        async for batch in in_batches([one for one in deliveries if one not in last]):
            await self._give_back(partial(self._hand_back, batch))
        # These come last: when time runs out, they lose no more than they would have.
        async for batch in in_batches(tuple(last)):
            renewals = [self._give_back(partial(self._renew, one)) for one in batch]
            await asyncio.gather(*renewals)

    async def _give_back(self, step: Step) -> None:
        try:
            await step()
        except Transient as error:
            log.warning("release_failed", code=error.code, error=str(error))

    async def _hand_back(self, batch: Sequence[Delivery]) -> None:
        await self._queue.change_visibility(batch, 0)
        MESSAGES_SETTLED.labels(Settled.RELEASED, "").inc(len(batch))

    async def _renew(self, delivery: Delivery) -> None:
        """Put a copy in a message's place, with all its receives before it.

        A crash in between leaves both: then the copy loads, and the queue dead-letters the other.
        """
        ours = {RENEWED: "true", ORIGINAL_ID: delivery.original_id}
        # Its own come first: SQS refuses more than ten.
        attributes = dict([*delivery.attributes.items(), *ours.items()][:MAX_ATTRIBUTES])
        await self._queue.send(delivery.body, attributes)
        if await self._queue.delete([delivery]):
            log.warning("deletion_failed", message_id=delivery.message_id)
        MESSAGES_SETTLED.labels(Settled.RELEASED, "").inc()
        log.info("message_renewed", message_id=delivery.message_id, receives=delivery.receive_count)

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
        ends = [
            *((State.DEAD_LETTERED, failed.error.code) for failed in decision.dead_lettered),
            *((State.IGNORED, failed.error.code) for failed in decision.ignored),
            *((done.state, "") for done in decision.done),
        ]
        code = ends[0][1] if ends else ""
        MESSAGES_SETTLED.labels(outcome if gone else Settled.KEPT, code).inc()
        for end in ends:
            OBJECTS_ENDED.labels(*end).inc()

    async def _delete(self, delivery: Delivery) -> bool:
        """Delete a message together with its neighbours; say whether it is gone."""
        batch = self._batch
        batch.append(delivery)
        if len(batch) == 1:
            self._deletion = asyncio.create_task(self._delete_batch(batch), name="delete batch")
        elif len(batch) == BATCH_SIZE:
            self._batch = []
        # A task of its own, and shielded: whoever is cancelled meanwhile takes nobody along.
        # Nothing was awaited since the append, so `_deletion` is still that of our batch.
        kept = await asyncio.shield(self._deletion)
        if delivery in kept:
            log.warning("deletion_failed", message_id=delivery.message_id)
        return delivery not in kept

    async def _delete_batch(self, batch: list[Delivery]) -> list[Delivery]:
        """Wait for others, then delete them together; return those that could not be."""
        await asyncio.sleep(_DELETE_WAIT_SECONDS)
        # A full one was followed by another while we slept. Before the call: what would come while
        # it is under way would never be deleted.
        if self._batch is batch:
            self._batch = []
        return await self._queue.delete(batch)
