"""A message is ours for as long as its lease, and not longer."""

import asyncio

import pytest

from consumer.errors import (
    Internal,
    LeaseLost,
    StorageUnavailable,
)
from consumer.ingest.outcome import Failed, Outcome
from tests.support.consumer_fakes import FakeQueue, now, play
from tests.support.shop import BROKEN, DONE, Shop, taking


def test_a_lost_lease_means_neither_deletion_nor_retry() -> None:
    """Another consumer works on the message by now, and settles it."""

    async def story(outcomes: list[Outcome]) -> None:
        shop = Shop(FakeQueue("a"), taking(20, outcomes), receive_wait_seconds=1)
        shop.queue.refused["m1"] = LeaseLost("m1")
        await shop.run_until(25)
        assert shop.handler.handled == ["m1"]
        assert shop.queue.called("delete") == []
        # Only extensions were asked for, and none after the first was refused.
        assert [call.seconds for call in shop.queue.called("change_visibility")] == [30]
        assert shop.dead.calls == []

    play(story(DONE))
    play(story([Failed(Internal("bug"))]))
    play(story([Failed(BROKEN)]))


def test_a_lease_that_ran_out_while_sqs_was_away_is_lost_too() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(40))
        shop.queue.failures["change_visibility"] = [StorageUnavailable("away")] * 100
        await shop.run_until(45)
        assert shop.queue.called("delete") == []

    play(story())


def test_a_message_that_comes_at_the_end_of_a_long_poll_is_worked_on() -> None:
    """The lease counts from the poll's start: of a short one, nothing would be left."""

    async def story() -> None:
        shop = Shop(FakeQueue(visibility_seconds=6), taking(2))
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(32)
        shop.queue.put("a")
        await asyncio.sleep(3)
        assert shop.handler.handled == ["m1"]
        assert shop.queue.messages == {}
        shop.worker.stop()
        await running

    play(story())


def test_long_work_keeps_its_message_invisible_to_others() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(200))
        await shop.run_until(201)
        assert shop.handler.handled == ["m1"]
        assert shop.queue.messages == {}

    play(story())


def test_the_retry_delay_is_not_overwritten_by_an_extension_under_way() -> None:
    """The race: the lease is being extended at the moment the work fails."""

    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(16.5, [Failed(Internal("bug"))]), receivers=1)
        shop.queue.latency_seconds["change_visibility"] = 1
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(18.5)
        extension, retry = shop.queue.called("change_visibility")
        assert extension.at < 16.5 < extension.at + 1
        assert extension.seconds == 30
        assert 1 <= retry.seconds <= 2
        assert shop.queue.messages["m1"].visible_at <= retry.at + 1 + retry.seconds
        shop.worker.stop()
        await running

    play(story())


def test_a_lease_task_that_fails_ends_the_run() -> None:
    """Without it, nothing may be held."""

    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(1000))
        shop.queue.failures["change_visibility"] = [ZeroDivisionError()]
        with pytest.raises(ExceptionGroup) as raised:
            await shop.worker.run()
        assert raised.group_contains(ZeroDivisionError)
        assert now() < 20

    play(story())
