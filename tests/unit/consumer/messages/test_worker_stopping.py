"""Stopping: nothing is lost, nothing is left to time out."""

import asyncio

import pytest

from consumer.aws.sqs import Delivery
from consumer.errors import (
    DatabaseUnavailable,
)
from consumer.ingest.outcome import Failed, Outcome
from tests.support.consumer_fakes import FakeQueue, now, play
from tests.support.shop import DONE, Shop, for_ever, taking


def test_a_long_poll_is_never_cancelled_and_what_it_brings_while_stopping_goes_back() -> None:
    """The race: the message arrives on a poll that was under way when the stop came."""

    async def story() -> None:
        shop = Shop(FakeQueue(), taking(0), receivers=1)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(5)
        shop.worker.stop()
        await asyncio.sleep(5)
        assert not running.done()
        message = shop.queue.put("late")
        await running
        assert now() == pytest.approx(10)
        assert shop.handler.handled == []
        assert message.visible_at <= now()
        [release] = shop.queue.called("change_visibility")
        assert (release.ids, release.seconds) == (("m1",), 0)
        assert shop.queue.called("delete") == []

    play(story())


def test_stopping_finishes_what_it_can_in_time_and_releases_the_rest() -> None:
    async def story() -> None:
        async def work(delivery: Delivery) -> list[Outcome]:
            await asyncio.sleep(8 if delivery.body == "quick" else 1000)
            return DONE

        shop = Shop(FakeQueue("quick", "slow"), work, shutdown_timeout_seconds=10, receivers=1)
        shop.queue.latency_seconds["receive"] = 0.5
        await shop.run_until(1)
        assert now() <= 1 + 20.5
        [left] = shop.queue.messages.values()
        assert left.body == "slow"
        assert left.visible_at <= now()
        assert shop.queue.calls[-1].seconds == 0

    play(story())


def test_stopping_does_not_wait_for_room_when_everything_is_taken() -> None:
    """The race: the receiver waits for capacity, which nobody gives back, when the stop comes."""

    async def story() -> None:
        shop = Shop(FakeQueue("a"), for_ever, in_flight_messages=1, shutdown_timeout_seconds=10)
        await shop.run_until(3)
        assert now() == pytest.approx(13)
        assert shop.queue.messages["m1"].visible_at <= now()

    play(story())


def test_stopping_gives_back_at_once_what_waits_for_a_database_that_is_down() -> None:
    async def story() -> None:
        shop = Shop(
            FakeQueue("a"), taking(0, [Failed(DatabaseUnavailable("down"))]), in_flight_messages=1
        )
        shop.down = DatabaseUnavailable("down")
        await shop.run_until(3)
        assert now() == pytest.approx(3, abs=0.1)
        assert shop.queue.messages["m1"].visible_at <= now()

    play(story())


def test_a_settlement_that_has_begun_is_finished_and_its_message_not_released() -> None:
    """The race: the time to stop is over while the message is being deleted."""

    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(0), shutdown_timeout_seconds=2, receivers=1)
        shop.queue.latency_seconds["delete"] = 3.5
        shop.queue.latency_seconds["receive"] = 0.1
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(0.2)
        shop.queue.put("wakes the poll")
        shop.worker.stop()
        await running
        assert list(shop.queue.messages) == ["m2"]
        releases = [call for call in shop.queue.called("change_visibility") if not call.seconds]
        assert [call.ids for call in releases] == [("m2",)]

    play(story())


def test_stopping_twice_changes_nothing() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a"), for_ever, shutdown_timeout_seconds=10)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(1)
        shop.worker.stop()
        await asyncio.sleep(5)
        shop.worker.stop()
        await running
        assert now() <= 21.1

    play(story())


def test_stopping_ends_in_time_though_sqs_answers_nothing_any_more() -> None:
    """The visibility timeout gives back what could not be given back; nobody waits for SQS."""

    async def story() -> None:
        shop = Shop(FakeQueue("slow"), for_ever, shutdown_timeout_seconds=10)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(1)
        shop.queue.latency_seconds.update(receive=1000, change_visibility=1000)
        await asyncio.sleep(30)
        stopped_at = now()
        shop.worker.stop()
        await running
        assert now() - stopped_at <= 10 + 3
        assert "slow" in [message.body for message in shop.queue.messages.values()]

    play(story())
