"""Replaying dead letters, in virtual time: each is sent once, and none is lost."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from consumer.aws.sqs import ORIGINAL_ID, REPLAYED, Delivery
from consumer.errors import StorageUnavailable
from consumer.operate.dlq.dead_letters import DeadLetter, Filters
from consumer.operate.dlq.queue import move
from schemas.codes import ErrorCode
from tests.support.consumer_fakes import FakeQueue, announcing, now, play
from tests.support.dead_letter_queue import (
    DEAD_LETTERS,
    dead_lettered,
    reason,
    visible,
)


def test_replaying_sends_before_it_deletes_and_without_the_old_reason() -> None:
    async def story() -> None:
        dead, main = dead_lettered(*DEAD_LETTERS), FakeQueue()
        bodies = [message.body for message in dead.messages.values()]
        order: list[str] = []
        for queue, name in ((main, "send"), (dead, "delete")):
            queue.calls = Journal(order, name)
        moved = [dead_letter async for dead_letter in move(dead, Filters(), main, None)]
        assert [dead_letter.id for dead_letter in moved] == ["m1", "m2", "m3", "m4"]
        assert order == [*["send"] * 4, "delete"]
        assert [message.body for message in main.messages.values()] == bodies
        told = [message.attributes for message in main.messages.values()]
        codes = ("json_malformed", "schema_invalid", "json_malformed", "internal")
        expected = [{REPLAYED: code, ORIGINAL_ID: f"m{n}"} for n, code in enumerate(codes, 1)]
        assert told == expected
        assert dead.messages == {}

    play(story())


class Journal(list[Any]):
    """Notes the calls of one name, in common order with another queue's."""

    def __init__(self, order: list[str], name: str) -> None:
        super().__init__()
        self._order, self._name = order, name

    def append(self, call: Any) -> None:
        if call.name == self._name:
            self._order.append(call.name)
        super().append(call)


def test_what_does_not_match_stays_and_is_visible_at_once() -> None:
    async def story() -> None:
        dead, main = dead_lettered(*DEAD_LETTERS), FakeQueue()
        filters = Filters(error_code=ErrorCode.JSON_MALFORMED)
        assert len([dead_letter async for dead_letter in move(dead, filters, main, None)]) == 2
        assert visible(dead) == ["m2", "m4"]
        assert len(main.messages) == 2

    play(story())


@pytest.mark.parametrize("queue_name", ["main", "dead"])
@pytest.mark.parametrize("call", ["send", "delete", "receive", "change_visibility"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_replay_that_fails_anywhere_loses_nothing_and_can_be_repeated(
    queue_name: str, call: str, after: int
) -> None:
    async def story() -> None:
        dead, main = dead_lettered(*DEAD_LETTERS), FakeQueue()
        bodies = {message.body for message in dead.messages.values()}
        failing = main if queue_name == "main" else dead
        if after:
            await failing.depth()
        failing.failures[call] = [StorageUnavailable("away")]

        async def replay() -> list[DeadLetter]:
            return [dead_letter async for dead_letter in move(dead, Filters(), main, None)]

        try:
            await replay()
        except StorageUnavailable:
            assert visible(dead) == list(dead.messages)
        failing.failures.clear()
        await replay()
        await asyncio.sleep(301)
        await replay()
        assert {message.body for message in main.messages.values()} == bodies
        assert len(main.messages) <= 2 * len(bodies)
        assert dead.messages == {}

    play(story())


@pytest.mark.parametrize("moment", [0.5, 1.5, 2.5, 3.5, 4.5, 6.5, 7.5])
def test_a_replay_interrupted_at_any_moment_loses_nothing_and_gives_back_at_once(
    moment: float,
) -> None:
    """The race: control-C while it receives, between sending and deleting, or while it waits."""

    async def story() -> None:
        dead, main = dead_lettered(*[reason(f"raw/erp/{n}.json") for n in range(16)]), FakeQueue()
        bodies = {message.body for message in dead.messages.values()}
        main.latency_seconds["send"] = 1
        dead.latency_seconds["delete"] = 1
        dead.latency_seconds["receive"] = 1

        async def replay() -> None:
            async with aclosing(move(dead, Filters(), main, None)) as moving:
                async for _ in moving:
                    pass

        task = asyncio.create_task(replay())
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert visible(dead) == list(dead.messages)
        left = {message.body for message in dead.messages.values()}
        assert left | {message.body for message in main.messages.values()} == bodies

    play(story())


class SlowAnswers(FakeQueue):
    """Hands messages over a second before the answer that tells of them arrives."""

    async def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int | None = None
    ) -> list[Delivery]:
        """Long-poll."""
        found = await super().receive(limit, wait_seconds, visibility_seconds)
        await asyncio.sleep(1)
        return found


@pytest.mark.parametrize("failure", [None, StorageUnavailable("away")])
def test_what_sqs_handed_over_while_a_replay_was_interrupted_is_given_back_at_once(
    failure: StorageUnavailable | None,
) -> None:
    """The race: the answer is under way, and nobody else knows that its messages are hidden."""

    async def story() -> None:
        dead = SlowAnswers(visibility_seconds=60)
        for number in range(16):
            dead.put(announcing(f"raw/erp/{number}.json"), reason())
        task = asyncio.create_task(anext(move(dead, Filters(), FakeQueue(), None)))
        await asyncio.sleep(0.5)
        assert len(visible(dead)) == 6
        if failure:
            dead.failures["change_visibility"] = [failure]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(visible(dead)) == (6 if failure else 16)

    play(story())


def test_a_rate_is_kept_on_the_whole() -> None:
    async def story() -> None:
        dead, main = dead_lettered(*[reason()] * 12), FakeQueue()
        moving = move(dead, Filters(), main, 2.0)
        sent_at = [now() async for _ in moving]
        assert sent_at == pytest.approx([number / 2 for number in range(12)])

    play(story())


@pytest.mark.parametrize("rate", [None, 1.0])
def test_what_could_be_sent_is_moved_although_another_could_not(rate: float | None) -> None:
    async def story() -> None:
        dead, main = dead_lettered(*DEAD_LETTERS), FakeQueue()
        main.failures["send"] = [StorageUnavailable("away")]
        moved: list[str] = []

        async def replay() -> None:
            async for dead_letter in move(dead, Filters(), main, rate):
                moved.append(dead_letter.id)  # noqa: PERF401 - a comprehension would keep nothing

        with pytest.raises(StorageUnavailable):
            await replay()
        assert moved == ([] if rate else ["m2", "m3", "m4"])
        assert visible(dead) == (["m1", "m2", "m3", "m4"] if rate else ["m1"])
        assert len(main.messages) == len(moved)

    play(story())


def test_a_replay_slower_than_its_leases_moves_each_once() -> None:
    """The race: SQS answers 200 to a deletion whose receipt has expired, and deletes nothing."""

    async def story() -> None:
        dead, main = dead_lettered(*[reason()] * 12), FakeQueue()
        moved = [dead_letter.id async for dead_letter in move(dead, Filters(), main, 0.02)]
        assert sorted(moved) == sorted(f"m{number}" for number in range(1, 13))
        assert len(main.messages) == 12
        assert dead.messages == {}

    play(story())


async def dead_letter_again(main: FakeQueue, dead: FakeQueue, after_seconds: float) -> None:
    """Do what a consumer does whose cause was not mended: dead-letter what comes, again and again."""
    while True:
        for one in await main.receive(1, 20):
            await asyncio.sleep(after_seconds)
            await dead.send(one.body, {"ErrorCode": "json_malformed", ORIGINAL_ID: one.original_id})
            await main.delete([one])


@pytest.mark.parametrize("after_seconds", [0.01, 0.4, 3])
@pytest.mark.parametrize("rate", [None, 1.0, 0.1])
def test_a_replay_sends_each_once_although_all_are_dead_lettered_again_at_once(
    rate: float | None, after_seconds: float
) -> None:
    """The race: the copy is there before the replay has seen the last of what was there."""

    async def story() -> None:
        dead, main = FakeQueue(visibility_seconds=60), FakeQueue()
        consuming = asyncio.create_task(dead_letter_again(main, dead, after_seconds))
        await asyncio.sleep(0.5)
        first = [dead.put(announcing(f"raw/erp/{number}.json"), reason()) for number in range(12)]
        moved = [one.original_id async for one in move(dead, Filters(), main, rate)]
        assert sorted(one.message_id for one in first) == sorted(moved)
        while main.messages:
            await asyncio.sleep(1)
        consuming.cancel()
        again = dead.messages.values()
        assert sorted(moved) == sorted(one.attributes[ORIGINAL_ID] for one in again)

    play(story())


def test_a_replay_ends_although_other_messages_are_dead_lettered_all_the_time() -> None:
    async def story() -> None:
        dead, main = dead_lettered(*[reason()] * 3), FakeQueue()

        async def fail() -> None:
            while True:
                await asyncio.sleep(1.5)
                dead.put(announcing("raw/erp/other.json"), reason())

        failing = asyncio.create_task(fail())
        moved = [one.id async for one in move(dead, Filters(), main, 1.0)]
        failing.cancel()
        assert sorted(moved) == ["m1", "m2", "m3"]

    play(story())


def test_both_dead_letters_of_one_message_are_replayed() -> None:
    """Of two objects that one message announced, each has its own."""

    async def story() -> None:
        dead, main = FakeQueue(visibility_seconds=60), FakeQueue()
        for key in ("raw/erp/a.json", "raw/erp/b.json"):
            dead.put(announcing(key), {**reason(key), ORIGINAL_ID: "first"})
        assert len([one async for one in move(dead, Filters(), main, 1.0)]) == 2

    play(story())
