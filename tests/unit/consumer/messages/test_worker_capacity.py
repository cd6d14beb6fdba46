"""The pool takes what it can hold, and ends when the queue is empty."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from consumer.aws.sqs import Delivery
from consumer.errors import (
    Internal,
    StorageUnavailable,
)
from consumer.ingest.outcome import Failed, Outcome
from consumer.metrics import REGISTRY
from tests.support.consumer_fakes import FakeQueue, now, play
from tests.support.shop import DONE, MAX_RECEIVES, Shop, for_ever, taking


def test_no_more_is_received_than_can_be_held() -> None:
    async def story() -> None:
        queue = FakeQueue(*"abcdefghijklm")
        shop = Shop(queue, taking(5), in_flight_messages=4)
        await shop.run_until(30)
        assert shop.handler.most == 4
        assert max(queue.limits) <= 4
        assert len(shop.handler.handled) == 13
        assert {message.receive_count for message in queue.messages.values()} <= {1}
        assert queue.messages == {}

    play(story())


def test_hundreds_of_objects_are_in_flight_on_one_event_loop() -> None:
    async def story() -> None:
        queue = FakeQueue(*map(str, range(700)))
        shop = Shop(queue, taking(90), in_flight_messages=500)
        await shop.run_until(200)
        assert shop.handler.most == 500
        assert queue.messages == {}

    play(story())


def test_nothing_is_received_while_the_byte_budget_is_spent() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(0))
        async with shop.byte_budget.of(1000):
            running = asyncio.create_task(shop.worker.run())
            await asyncio.sleep(30)
            assert shop.queue.called("receive") == []
        await asyncio.sleep(1)
        assert shop.handler.handled == ["m1"]
        shop.worker.stop()
        await running

    play(story())


def test_until_idle_ends_once_the_queue_stayed_empty_for_that_long() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a", "b"), taking(3), receive_wait_seconds=1)
        await shop.worker.run(until_idle_seconds=5)
        assert 8 <= now() <= 11
        assert shop.queue.messages == {}

    play(story())


def test_until_idle_waits_for_a_message_that_waits_for_its_retry() -> None:
    """The race: the queue looks empty to a receiver while a message is only invisible."""

    async def story() -> None:
        async def work(delivery: Delivery) -> list[Outcome]:
            return [Failed(Internal("bug"))] if delivery.receive_count < 6 else DONE

        shop = Shop(FakeQueue("a"), work, receive_wait_seconds=1)
        await shop.worker.run(until_idle_seconds=1)
        assert shop.handler.handled == ["m1"] * 6
        assert shop.queue.messages == {}

    play(story())


def test_until_idle_goes_on_while_the_queue_cannot_be_counted() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue(), taking(0), receive_wait_seconds=1)
        shop.queue.failures["depth"] = [StorageUnavailable("away")] * 3
        await shop.worker.run(until_idle_seconds=2)
        assert len(shop.queue.called("depth")) == 4

    play(story())


def test_messages_that_come_a_third_time_are_worked_on_one_at_a_time_and_others_pass_by() -> None:
    """Processes were killed while they held them: one may be to blame, or all together.

    What came once before was given back, by a deployment for instance: it is not slowed down.
    """

    async def story() -> None:
        received_before = {"suspect": 2, "given back": 1, "new": 0}
        queue = FakeQueue(*(body for body in received_before for _ in range(15)))
        for message in queue.messages.values():
            message.receive_count = received_before[message.body]
        in_hand, most = Counter[str](), Counter[str]()

        async def work(one: Delivery) -> list[Outcome]:
            in_hand[one.body] += 1
            most[one.body] = max(most[one.body], in_hand[one.body])
            await asyncio.sleep(1)
            in_hand[one.body] -= 1
            return DONE

        shop = Shop(queue, work, in_flight_messages=45)
        await shop.run_until(20)
        assert most == {"suspect": 1, "given back": 15, "new": 15}
        assert queue.messages == {}

    play(story())


@pytest.mark.parametrize("place", [0, 7, 19])
def test_a_document_that_kills_takes_nobody_with_it(place: int) -> None:
    """The race: what waits for its turn at its last receive would be dead-lettered unread.

    Each life ends a second after the document is read, without a word to the queue.
    """

    async def story() -> None:
        bodies = ["good"] * 20
        bodies[place] = "kills"
        queue, dead = FakeQueue(*bodies), list[str]()
        while queue.messages:
            killed = asyncio.Event()

            async def work(one: Delivery, killed: asyncio.Event = killed) -> list[Outcome]:
                if one.body == "kills":
                    killed.set()
                return await for_ever(one) if killed.is_set() else DONE

            shop = Shop(queue, work, receive_wait_seconds=1)
            life = [shop.worker.run(until_idle_seconds=100), killed.wait()]
            await asyncio.wait(map(asyncio.create_task, life), return_when="FIRST_COMPLETED")
            await asyncio.sleep(1)
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(queue.visibility_seconds)
            for message in tuple(queue.messages.values()):
                if message.receive_count >= MAX_RECEIVES:  # as the redrive policy would
                    dead.append(queue.messages.pop(message.message_id).body)
        assert dead == ["kills"]

    play(story())


def test_stopping_does_not_wait_for_messages_that_wait_for_their_turn() -> None:
    async def story() -> None:
        queue = FakeQueue(*["suspect"] * 15)
        for message in queue.messages.values():
            message.receive_count = 2
        shop = Shop(queue, taking(3), receive_wait_seconds=1)
        await shop.run_until(4)
        assert now() < 10
        assert len(queue.messages) == 13
        assert all(message.visible_at <= now() for message in queue.messages.values())

    play(story())


def test_the_age_of_the_oldest_message_in_hand_is_told() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a", "b"), taking(60))
        running = asyncio.create_task(shop.worker.run(), name="worker")
        await asyncio.sleep(40)
        sent = min(message.sent_at for message in shop.queue.messages.values())
        age_seconds = (datetime.now(UTC) - sent).total_seconds()
        assert age_seconds == pytest.approx(_oldest_seconds(), abs=5)
        await asyncio.sleep(60)
        assert 0 == _oldest_seconds()
        shop.worker.stop()
        await running

    play(story())


def _oldest_seconds() -> float:
    seconds = REGISTRY.get_sample_value("coco_oldest_message_seconds")
    assert seconds is not None
    return seconds
