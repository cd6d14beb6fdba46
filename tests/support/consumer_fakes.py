"""A queue, stores and time itself, for what real servers cannot be made to show.

The queue keeps SQS's rules, those LocalStack does not keep included: a receipt handle is worth
nothing once its lease has run out or a newer one was given.
"""

import asyncio
import selectors
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from unittest.mock import patch

from consumer.aws.sqs import Delivery, Depth
from consumer.errors import LeaseLost
from consumer.load.ledger import Entry, Letter
from schemas.envelopes import ObjectEvent, created_body

T = TypeVar("T")

_LONGEST_STORY_SECONDS = 1_000_000
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
BUCKET = "lake"


class _JumpingSelector(selectors.SelectSelector):
    """Waits by moving the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for something that will never happen"
            self.now += timeout
            assert self.now < _LONGEST_STORY_SECONDS, "the story does not end"
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which time passes only while everybody waits: no test sleeps."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds that passed since the loop was made."""
        return self._jumping.now


def play(story: Coroutine[Any, Any, T]) -> T:
    """Run a story in virtual time, the clocks of worker and leases included."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        clock = runner.get_loop().time
        with (
            patch("consumer.messages.worker.monotonic", clock),
            patch("consumer.messages.leases.monotonic", clock),
            patch("consumer.messages.failure_breaker.monotonic", clock),
            patch("consumer.messages.breakers.monotonic", clock),
            patch("consumer.load.batcher.monotonic", clock),
            patch("consumer.operate.dlq.queue.monotonic", clock),
        ):
            return runner.run(story)


def now() -> float:
    """Return the story's time in seconds."""
    return asyncio.get_running_loop().time()


def announcing(*keys: str) -> str:
    """Write a message body that announces objects."""
    bodies = [created_body(ObjectEvent(BUCKET, key, "ObjectCreated:Put")) for key in keys]
    if len(bodies) == 1:
        return bodies[0]
    records = ",".join(body.removeprefix('{"Records": [').removesuffix("]}") for body in bodies)
    return f'{{"Records": [{records}]}}'


def delivery(
    body: str = "{}",
    *,
    message_id: str = "m1",
    receive_count: int = 1,
    attributes: Mapping[str, str] | None = None,
) -> Delivery:
    """Make one receipt of a message."""
    return Delivery(message_id, f"{message_id}-h", body, receive_count, NOON, attributes or {})


@dataclass
class Stored:
    """A message as the queue keeps it."""

    message_id: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    visible_at: float = 0.0
    receive_count: int = 0
    handle: str = ""
    sent_at: datetime = NOON


@dataclass(frozen=True)
class Call:
    """A call that the queue took, and when."""

    at: float
    name: str
    ids: tuple[str, ...] = ()
    seconds: int = 0


class FakeQueue:
    """One queue. `failures[name]` are raised by the next calls of that name, in turn.

    `latency_seconds[name]` is how long an answer takes; the call takes effect just before it.
    `refused` maps message ids to what `change_visibility` and `delete` say of them.
    """

    def __init__(self, *bodies: str, visibility_seconds: int = 30) -> None:
        self.visibility_seconds = visibility_seconds
        self.messages: dict[str, Stored] = {}
        self.calls: list[Call] = []
        self.failures: defaultdict[str, list[Exception]] = defaultdict(list)
        self.latency_seconds: defaultdict[str, float] = defaultdict(float)
        self.refused: dict[str, Exception] = {}
        self.limits: list[int] = []
        self._changed = asyncio.Event()
        for body in bodies:
            self.put(body)

    def put(self, body: str, attributes: Mapping[str, str] | None = None) -> Stored:
        """Add a message; its id is `m1`, `m2` and so on."""
        stored = Stored(f"m{len(self.messages) + 1}", body, attributes or {}, sent_at=_story_time())
        while stored.message_id in self.messages:
            stored.message_id += "'"
        self.messages[stored.message_id] = stored
        self._changed.set()
        return stored

    async def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int | None = None
    ) -> list[Delivery]:
        """Long-poll."""
        self.limits.append(limit)
        await self._answer(Call(now(), "receive"))
        until = now() + wait_seconds
        while not (found := self._visible()[:limit]) and now() < until:
            self._changed.clear()
            soonest = min((m.visible_at for m in self.messages.values()), default=until)
            try:
                async with asyncio.timeout(min(until, max(soonest, now() + 0.001)) - now()):
                    await self._changed.wait()
            except TimeoutError:
                pass
        seconds = self.visibility_seconds if visibility_seconds is None else visibility_seconds
        return [self._hand_out(message, seconds) for message in found]

    async def delete(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Delete; says nothing of receipt handles that have expired, like SQS."""
        await self._answer(Call(now(), "delete", _ids(deliveries)))
        for one in deliveries:
            if one.message_id not in self.refused and self._owns(one):
                del self.messages[one.message_id]
        return [one for one in deliveries if one.message_id in self.refused]

    async def change_visibility(
        self, deliveries: Sequence[Delivery], seconds: int
    ) -> dict[Delivery, Exception]:
        """Change what owners hold, refuse others."""
        assert 0 < len(deliveries) <= 10
        await self._answer(Call(now(), "change_visibility", _ids(deliveries), seconds))
        failed: dict[Delivery, Exception] = {}
        for one in deliveries:
            if one.message_id in self.refused:
                failed[one] = self.refused[one.message_id]
            elif self._owns(one):
                self.messages[one.message_id].visible_at = now() + seconds
                self._changed.set()
            else:
                failed[one] = LeaseLost(one.message_id)
        return failed

    async def send(self, body: str, attributes: Mapping[str, str]) -> str:
        """Add a message; return its id."""
        await self._answer(Call(now(), "send"))
        return self.put(body, attributes).message_id

    async def depth(self) -> Depth:
        """Count."""
        await self._answer(Call(now(), "depth"))
        visible = len(self._visible())
        return Depth(visible, len(self.messages) - visible, 0)

    async def time(self) -> datetime:
        """Return the story's time, to the second."""
        return NOON + timedelta(seconds=int(now()))

    def called(self, name: str) -> list[Call]:
        """Return the calls of one name."""
        return [call for call in self.calls if call.name == name]

    async def _answer(self, call: Call) -> None:
        self.calls.append(call)
        if latency := self.latency_seconds[call.name]:
            await asyncio.sleep(latency)
        if self.failures[call.name]:
            raise self.failures[call.name].pop(0)

    def _visible(self) -> list[Stored]:
        return [message for message in self.messages.values() if message.visible_at <= now()]

    def _hand_out(self, message: Stored, seconds: int) -> Delivery:
        message.receive_count += 1
        message.visible_at = now() + seconds
        message.handle = f"{message.message_id}-{message.receive_count}"
        return Delivery(
            message.message_id,
            message.handle,
            message.body,
            message.receive_count,
            NOON,
            message.attributes,
            message.sent_at,
        )

    def _owns(self, one: Delivery) -> bool:
        message = self.messages.get(one.message_id)
        return (
            message is not None
            and message.handle == one.receipt_handle
            and message.visible_at > now()
        )


def _story_time() -> datetime:
    """Return when that is in the story; its beginning, if it has not begun."""
    try:
        return NOON + timedelta(seconds=now())
    except RuntimeError:
        return NOON


def _ids(deliveries: Iterable[Delivery]) -> tuple[str, ...]:
    return tuple(one.message_id for one in deliveries)


class FakeLogs:
    """Keeps error logs; the next calls raise what `failures` says."""

    def __init__(self) -> None:
        self.written: dict[str, bytes] = {}
        self.failures: list[Exception] = []

    async def write_log(self, key: str, body: bytes) -> None:
        """Keep one."""
        if self.failures:
            raise self.failures.pop(0)
        self.written[key] = body


class FakeLedger:
    """Keeps entries; the next calls raise what `failures` says."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.failures: list[Exception] = []

    async def record(self, entry: Entry) -> None:
        """Keep one."""
        if self.failures:
            raise self.failures.pop(0)
        self.entries.append(entry)


class FakeRows:
    """Keeps the rows of dead letters; the next announcements raise what `failures` says."""

    def __init__(self) -> None:
        self.announced: list[Letter] = []
        self.confirmed: list[tuple[str, str]] = []
        self.failures: list[Exception] = []

    async def announce(self, letter: Letter) -> None:
        """Keep one."""
        if self.failures:
            raise self.failures.pop(0)
        self.announced.append(letter)

    async def confirm(self, error_log_key: str, message_id: str) -> None:
        """Keep one."""
        self.confirmed.append((error_log_key, message_id))
