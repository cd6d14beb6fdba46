"""Faults of ours: messages wait, and use up no receive."""

import asyncio

from consumer.aws.sqs import Delivery
from consumer.errors import (
    DatabaseUnavailable,
    StorageUnavailable,
)
from consumer.ingest.outcome import Failed, Outcome
from tests.support.consumer_fakes import FakeQueue, play
from tests.support.shop import DONE, Shop, taking


def test_a_fault_of_ours_holds_the_message_and_uses_up_no_receive() -> None:
    async def story() -> None:
        async def work(_: Delivery) -> list[Outcome]:
            return [Failed(shop.down)] if shop.down else DONE

        shop = Shop(FakeQueue("a"), work)
        shop.down = DatabaseUnavailable("down")
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(100)
        shop.queue.put("b")
        assert shop.handler.handled == ["m1"]
        shop.down = None
        await asyncio.sleep(60)
        assert shop.handler.handled == ["m1", "m2", "m1"]
        assert shop.queue.messages == {}
        shop.worker.stop()
        await running

    play(story())


def test_a_fault_that_the_probe_cannot_see_holds_its_message_ever_longer() -> None:
    """A full disk, a missing grant: the database answers, and cannot do this one thing."""

    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(0, [Failed(DatabaseUnavailable("disk full"))]))
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(600)
        assert 10 <= len(shop.handler.handled) <= 20
        assert shop.queue.messages["m1"].receive_count == 1
        shop.worker.stop()
        await running

    play(story())


def test_a_queue_that_does_not_answer_is_not_asked_in_a_hurry() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(0))
        shop.down = StorageUnavailable("away")
        shop.queue.failures["receive"] = [StorageUnavailable("away")] * 1000
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(60)
        assert len(shop.queue.called("receive")) <= 2
        shop.down = None
        shop.queue.failures["receive"].clear()
        await asyncio.sleep(60)
        assert shop.handler.handled == ["m1"]
        shop.worker.stop()
        await running

    play(story())
