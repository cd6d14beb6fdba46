"""The dead-letter queue, for its operators: look, replay, purge.

SQS has no way to look at a message without receiving it, so looking makes messages invisible for
a while and gives back what it leaves in place. Replaying sends to the main queue before it deletes
from the dead-letter queue: an interruption may repeat a message and never loses one.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from consumer.errors import Transient
from consumer.sqs import BATCH_SIZE, Delivery, Queue, in_batches
from schemas.codes import ErrorCode
from schemas.envelopes import EventMalformed, ObjectEvent, decode_body

_VISIBILITY_SECONDS = 300
_POLL_SECONDS = 1
_EMPTY_POLLS = 1  # a long poll asks all of SQS's servers


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One parked message.

    A message that came by the queue's redrive policy carries no reason: the code is then
    `internal`, and its object is read from its body.
    """

    delivery: Delivery
    error_code: str
    error_message: str
    error_log_key: str
    object_key: str
    failed_at: datetime | None
    attempts: int

    @property
    def id(self) -> str:
        """The message id that operators name it by."""
        return self.delivery.message_id

    def as_json(self) -> dict[str, Any]:
        """Return what operators see of it."""
        shown = asdict(self)
        del shown["delivery"]
        shown["failed_at"] = self.failed_at.isoformat() if self.failed_at else None
        return {"id": self.id} | shown


@dataclass(frozen=True, slots=True)
class Filters:
    """Which dead letters are meant; all conditions must hold."""

    error_code: ErrorCode | None = None
    key_prefix: str | None = None
    since: datetime | None = None
    ids: tuple[str, ...] = ()
    limit: int | None = None

    def match(self, letter: DeadLetter) -> bool:
        """Say whether a dead letter is meant, apart from the limit."""
        return (
            (self.error_code is None or letter.error_code == self.error_code)
            and (self.key_prefix is None or letter.object_key.startswith(self.key_prefix))
            and (
                self.since is None
                or (letter.failed_at is not None and letter.failed_at >= self.since)
            )
            and (not self.ids or letter.id in self.ids)
        )


def read_letter(delivery: Delivery) -> DeadLetter:
    """Read a parked message's reason from its attributes."""
    attributes = delivery.attributes
    return DeadLetter(
        delivery=delivery,
        error_code=attributes.get("ErrorCode", ErrorCode.INTERNAL.value),
        error_message=attributes.get("ErrorMessage", "came by the queue's redrive policy"),
        error_log_key=attributes.get("ErrorLogKey", ""),
        object_key=attributes.get("ObjectKey") or _announced_key(delivery.body),
        failed_at=_time(attributes.get("FailedAt")),
        attempts=_count(attributes.get("Attempts")),
    )


async def select(queue: Queue, filters: Filters) -> AsyncGenerator[DeadLetter, None]:
    """Yield the matching dead letters; whatever the caller did not delete is given back.

    Close it (`aclosing`), or what it holds is given back only after five minutes.

    Raises:
        Transient: SQS could not answer.
    """
    held: dict[str, Delivery] = {}
    try:
        matched = 0
        async for delivery in _all(queue, held):
            letter = read_letter(delivery)
            if not filters.match(letter):
                continue
            yield letter
            matched += 1
            if filters.limit is not None and matched >= filters.limit:
                return
    finally:
        await _give_back(queue, list(held.values()))


async def move(
    letters: AsyncGenerator[DeadLetter, None], dead: Queue, target: Queue, rate: float | None
) -> AsyncGenerator[DeadLetter, None]:
    """Send dead letters to the target queue, then delete them; yield each once it is moved.

    Args:
        letters: What to move; closed at the end.
        dead: The dead-letter queue.
        target: The main queue.
        rate: At most so many a second; None for no limit.
    """
    started, moved = monotonic(), 0
    # Closed here whatever happens, so that what was looked at is given back at once.
    async with aclosing(letters):
        async for letter in letters:
            if rate:
                await asyncio.sleep(max(0.0, started + moved / rate - monotonic()))
            await target.send(letter.delivery.body, {})
            await dead.delete([letter.delivery])
            moved += 1
            yield letter


async def delete(dead: Queue, letters: Sequence[DeadLetter]) -> int:
    """Delete dead letters for good; return how many could not be."""
    failed = 0
    async for batch in in_batches([letter.delivery for letter in letters]):
        failed += len(await dead.delete(batch))
    return failed


async def _all(queue: Queue, held: dict[str, Delivery]) -> AsyncIterator[Delivery]:
    """Yield each message once; `held` learns the last receipt of all, yielded or not."""
    empty = 0
    while empty < _EMPTY_POLLS:
        deliveries = await queue.receive(BATCH_SIZE, _POLL_SECONDS, _VISIBILITY_SECONDS)
        fresh = [delivery for delivery in deliveries if delivery.message_id not in held]
        # In a slow replay, what was looked at first is received again before the last is seen.
        empty = 0 if deliveries else empty + 1
        held.update((delivery.message_id, delivery) for delivery in deliveries)
        for delivery in fresh:
            yield delivery


async def _give_back(queue: Queue, deliveries: Sequence[Delivery]) -> None:
    """Make messages visible again; deleted ones fail entry by entry, which is no failure."""
    async for batch in in_batches(deliveries):
        # What cannot be given back now becomes visible by itself.
        with suppress(Transient):
            await queue.change_visibility(batch, 0)


def _announced_key(body: str) -> str:
    try:
        announced = decode_body(body)
    except EventMalformed:
        return ""
    return next((item.key for item in announced if isinstance(item, ObjectEvent)), "")


def _count(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
