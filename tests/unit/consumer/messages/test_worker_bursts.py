"""A burst of failures for good: dead-lettering stops, and nothing more reaches the DLQ."""

import asyncio

import pytest

from consumer.aws.sqs import REPLAYED, Delivery
from consumer.errors import FailureBurst, Internal
from consumer.ingest.outcome import Failed, Outcome
from consumer.messages.failure_breaker import BurstLimits
from schemas.envelopes import ObjectEvent
from tests.support.consumer_fakes import FakeQueue, announcing, now, play
from tests.support.shop import BROKEN, DONE, Shop, for_ever, taking

EVENT = ObjectEvent("lake", "raw/erp/a.json", "ObjectCreated:Put")
BAD: list[Outcome] = [Failed(BROKEN, EVENT)]
TEN = BurstLimits(10, 50, 300)


def announced(count: int) -> list[str]:
    return [announcing(f"raw/erp/{number}.json") for number in range(count)]


def test_a_bad_release_dead_letters_a_burst_and_leaves_the_rest_in_the_queue_untouched() -> None:
    async def story() -> None:
        queue = FakeQueue(*announced(100))
        shop = Shop(queue, taking(0.1, BAD), burst=TEN)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(22)
        assert shop.failure_breaker.reason is not None
        assert len(shop.dead.messages) == 9
        assert len(queue.messages) == 91
        assert {message.visible_at <= now() for message in queue.messages.values()} == {True}
        # For long: what is probed is held, and uses up no further receive.
        await asyncio.sleep(1200)
        assert len(shop.dead.messages) == 9
        assert max(message.receive_count for message in queue.messages.values()) <= 2
        shop.worker.stop()
        await running
        assert {message.visible_at <= now() for message in queue.messages.values()} == {True}

    play(story())


def test_what_is_in_hand_is_given_back_when_a_burst_is_seen() -> None:
    """Others, of an older release, may be able to load it.

    The race: a poll that is under way would receive it again and use up one more of its receives.
    """

    async def story() -> None:
        async def work(delivery: Delivery) -> list[Outcome]:
            if delivery.body == "slow":
                return await for_ever(delivery)
            return BAD

        queue = FakeQueue("slow", *announced(15))
        shop = Shop(queue, work, burst=TEN)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(22)
        assert shop.failure_breaker.is_open
        assert queue.messages["m1"].visible_at <= now()
        assert {message.receive_count for message in queue.messages.values()} == {1}
        assert shop.worker._in_flight == {}
        shop.worker.stop()
        await running

    play(story())


def test_work_goes_on_by_itself_once_objects_load_again() -> None:
    async def story() -> None:
        is_fixed = False

        async def work(_: Delivery) -> list[Outcome]:
            return DONE if is_fixed else BAD

        queue = FakeQueue(*announced(40))
        shop = Shop(queue, work, burst=TEN, receivers=1)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(300)
        assert len(shop.dead.messages) == 9
        is_fixed = True
        await asyncio.sleep(1000)
        assert shop.failure_breaker.reason is None
        # The probes that failed were held meanwhile, and are loaded too.
        assert queue.messages == {}
        assert len(shop.dead.messages) == 9
        shop.worker.stop()
        await running

    play(story())


def test_a_restart_after_a_burst_dead_letters_nothing() -> None:
    async def story() -> None:
        queue = FakeQueue(*announced(100))
        for _ in range(3):
            shop = Shop(queue, taking(0.1, BAD), burst=TEN, cautious=True)
            await shop.run_until(now() + 40)
            assert shop.dead.messages == {}
        assert len(queue.messages) == 100

    play(story())


def test_bugs_stop_the_worker_too_before_they_use_up_every_receive() -> None:
    async def story() -> None:
        bug = Failed(Internal("KeyError"), EVENT)
        queue = FakeQueue(*announced(100))
        shop = Shop(queue, taking(0.1, [bug]), burst=TEN)
        await shop.run_until(600)
        # Some were probed, once each.
        assert sum(message.receive_count for message in queue.messages.values()) <= 120 + 10
        assert len(queue.messages) == 100

    play(story())


def test_replaying_a_dlq_full_of_bad_messages_stops_nobody() -> None:
    async def story() -> None:
        queue = FakeQueue()
        for body in announced(100):
            queue.put(body, {REPLAYED: "json_malformed"})
        shop = Shop(queue, taking(0.1, BAD), burst=TEN)
        await shop.run_until(60)
        assert queue.messages == {}
        assert len(shop.dead.messages) == 100

    play(story())


def test_until_idle_fails_when_a_burst_keeps_the_queue_from_becoming_empty() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue(*announced(40)), taking(0.1, BAD), burst=TEN, receive_wait_seconds=1)
        with pytest.raises(FailureBurst, match="FAILURE_BURST_MIN_OBJECTS=0"):
            await shop.worker.run(until_idle_seconds=5)
        assert now() < 30
        assert len(shop.dead.messages) == 9

    play(story())
