"""The dead-letter queue, for its operators: look, replay, purge.

Looking at a message is receiving it: it makes messages invisible for a while. Replaying sends
before it deletes: an interruption may repeat a message and never loses one. Commands act on what
was there when they began: a replayed message may be dead-lettered again at once.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from time import monotonic

from consumer.aws.sqs import BATCH_SIZE, ORIGINAL_ID, REPLAYED, Delivery, Queue, in_batches
from consumer.errors import Transient
from consumer.operate.dlq.dead_letters import DeadLetter, Filters, read_dead_letter

# Short, so that what a killed look held is soon back; what waits to be replayed is renewed.
_VISIBILITY_SECONDS = 60
_RENEW_AFTER_SECONDS = 20
_POLL_SECONDS = 1

# Learns what is about to be done.
Before = Callable[[Sequence[DeadLetter]], Awaitable[None]]


async def _nothing(_: Sequence[DeadLetter]) -> None:
    pass


async def select(
    queue: Queue, filters: Filters, together: int = BATCH_SIZE
) -> AsyncGenerator[list[DeadLetter], None]:
    """Yield the matching dead letters that are there now; give back what is not deleted.

    Close it (`aclosing`), or what it holds is given back only after a minute. `together` is how
    many are yielded at once; 1 when the caller takes its time.

    Raises:
        Transient: SQS could not answer.
    """
    held: dict[str, Delivery] = {}
    present = _Present(await queue.time())
    try:
        found, group = 0, list[DeadLetter]()
        async for delivery in _all(queue, held, present):
            dead_letter = read_dead_letter(delivery)
            if not filters.match(dead_letter):
                continue
            found += 1
            group.append(dead_letter)
            if found >= filters.most:
                break
            if len(group) == together:
                yield group
                group = []
        if group:
            yield group
    finally:
        await _give_back(queue, list(held.values()))


async def move(
    dead: Queue,
    filters: Filters,
    target: Queue,
    rate: float | None,
    before: Before = _nothing,
) -> AsyncGenerator[DeadLetter, None]:
    """Send the matching dead letters to the target queue, then delete them; yield what is moved.

    `rate` is how many a second at most; None for no limit. `before` is awaited with each group
    before the first of it is sent.

    Raises:
        Transient: SQS could not take or delete some; those that were yielded are moved.
    """
    started, moved = monotonic(), 0
    # Closed here whatever happens, so that what was looked at is given back at once.
    async with aclosing(select(dead, filters, 1 if rate else BATCH_SIZE)) as groups:
        async for group in groups:
            await before(group)
            sends = (_send_back(one, target) for one in group)
            failures = await asyncio.gather(*sends, return_exceptions=True)
            sent = [one for one, failed in zip(group, failures, strict=True) if not failed]
            if sent:
                await dead.delete([one.delivery for one in sent])
            for dead_letter in sent:
                yield dead_letter
            for failed in filter(None, failures):
                raise failed
            moved += len(sent)
            if rate:
                await asyncio.sleep(max(0.0, started + moved / rate - monotonic()))


async def purge(
    dead: Queue, filters: Filters, before: Before = _nothing
) -> AsyncGenerator[DeadLetter, None]:
    """Delete the matching dead letters for good; yield each once it is deleted.

    `before` is awaited with each group before the first of it is deleted.

    Raises:
        Transient: SQS could not answer; those that were yielded are deleted.
    """
    async with aclosing(select(dead, filters)) as groups:
        async for group in groups:
            await before(group)
            refused = await dead.delete([dead_letter.delivery for dead_letter in group])
            for dead_letter in group:
                if dead_letter.delivery not in refused:
                    yield dead_letter


async def _send_back(one: DeadLetter, target: Queue) -> None:
    attributes = {REPLAYED: one.error_code, ORIGINAL_ID: one.original_id}
    await target.send(one.delivery.body, attributes)


class _Present:
    """Tells the messages that were on the queue when a command began from those that came later.

    `began_at` is by the clock that dates the messages, rounded down to a second.
    """

    def __init__(self, began_at: datetime) -> None:
        self._began_at = began_at
        self._first: dict[tuple[str, str], str] = {}

    def includes(self, delivery: Delivery) -> bool:
        """Say whether a message was there."""
        sent_at = delivery.sent_at or self._began_at
        if sent_at >= self._began_at + timedelta(seconds=1):
            return False
        # Within that second it may have come before or after the command began: after, if another
        # one was its copy. One message may have several dead letters, but their bodies differ.
        copy = (delivery.original_id, delivery.body)
        first_id = self._first.setdefault(copy, delivery.message_id)
        return sent_at < self._began_at or first_id == delivery.message_id


async def _all(
    queue: Queue, held: dict[str, Delivery], present: _Present
) -> AsyncIterator[Delivery]:
    """Yield each message that is present once; `held` learns the last receipt of all."""
    news_at = monotonic()
    while True:
        asked_at = monotonic()
        seen = frozenset(held)
        deliveries = await _poll(queue, held)
        fresh = [one for one in deliveries if one.message_id not in seen and present.includes(one)]
        for delivery in fresh:
            # Whoever takes them may be slow, and another look may have them by now: renewing tells.
            is_recent = monotonic() - asked_at < _RENEW_AFTER_SECONDS
            if is_recent or not await queue.change_visibility([delivery], _VISIBILITY_SECONDS):
                yield delivery
            else:
                del held[delivery.message_id]
        if fresh:
            news_at = monotonic()
        # In a slow replay, what was looked at first is received again before the last is seen.
        elif not deliveries or monotonic() - news_at > _VISIBILITY_SECONDS:
            return


async def _poll(queue: Queue, held: dict[str, Delivery]) -> list[Delivery]:
    """Receive into `held`.

    An interruption does not end a poll: SQS may have handed messages over by then, and nobody would
    give them back. They are learned from the answer, a second later at the most.
    """
    receive = queue.receive(BATCH_SIZE, _POLL_SECONDS, _VISIBILITY_SECONDS)
    poll = asyncio.create_task(receive, name="look at dead letters")
    try:
        await asyncio.wait([poll])
    except asyncio.CancelledError:
        with suppress(Transient):
            held.update((delivery.message_id, delivery) for delivery in await poll)
        raise
    deliveries = poll.result()
    held.update((delivery.message_id, delivery) for delivery in deliveries)
    return deliveries


async def _give_back(queue: Queue, held: Sequence[Delivery]) -> None:
    """Make messages visible again; deleted ones fail entry by entry, which is no failure."""
    async for batch in in_batches(held):
        # What cannot be given back now becomes visible by itself.
        with suppress(Transient):
            await queue.change_visibility(batch, 0)
