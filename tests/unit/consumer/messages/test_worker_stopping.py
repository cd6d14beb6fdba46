"""Stopping: nothing is lost, nothing is left to time out."""

import asyncio

import pytest

from consumer.aws.sqs import Delivery
from consumer.errors import DatabaseUnavailable, StorageUnavailable
from consumer.ingest.outcome import Failed, Outcome
from tests.support.consumer_fakes import FakeQueue, now, play
from tests.support.shop import DONE, MAX_RECEIVES, Shop, for_ever, taking


def test_a_long_poll_is_never_cancelled_and_what_it_brings_while_stopping_is_finished() -> None:
    """The race: the message arrives on a poll that was under way when the stop came."""

    async def story() -> None:
        shop = Shop(FakeQueue(), taking(2), receivers=1)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(5)
        shop.worker.stop()
        await asyncio.sleep(5)
        assert not running.done()
        shop.queue.put("late")
        await running
        assert now() == pytest.approx(12, abs=0.1)
        assert shop.queue.messages == {}
        assert shop.queue.called("change_visibility") == []

    play(story())


@pytest.mark.parametrize("is_down", [False, True], ids=["up", "down"])
def test_a_message_that_comes_while_all_stop_uses_up_no_receive_for_each_last_poll(
    *, is_down: bool
) -> None:
    """The race: what one gives back, the last polls of all the others take."""

    async def story() -> None:
        queue, down = FakeQueue(), DatabaseUnavailable("down")
        work = taking(0, [Failed(down)] if is_down else None)
        shops = [Shop(queue, work) for _ in range(3)]
        for shop in shops:
            shop.down = down if is_down else None
        running = [asyncio.create_task(shop.worker.run()) for shop in shops]
        await asyncio.sleep(5)
        for shop in shops:
            shop.worker.stop()
        message = queue.put("late")
        await asyncio.gather(*running)
        assert message.receive_count == 1
        assert list(queue.messages.values()) == [message] * is_down
        assert message.visible_at <= now() or not is_down

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
        async def work(delivery: Delivery) -> list[Outcome]:
            return DONE if delivery.body == "a" else await for_ever(delivery)

        shop = Shop(FakeQueue("a"), work, shutdown_timeout_seconds=2, receivers=1)
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


LAST = MAX_RECEIVES - 1  # receives before the last one


def test_a_stop_renews_what_is_at_its_last_receive_and_gives_back_the_rest() -> None:
    """Given back, it would be dead-lettered by its next receive, without a reason."""

    async def story() -> None:
        queue = FakeQueue("other")
        queue.put("last", {"Replayed": "internal"}).receive_count = LAST
        shop = Shop(queue, for_ever, shutdown_timeout_seconds=10)
        await shop.run_until(3)
        other, renewed = queue.messages.values()
        assert (other.message_id, other.visible_at <= now()) == ("m1", True)
        assert (renewed.body, renewed.receive_count) == ("last", 0)
        ours = {"Renewed": "true", "OriginalMessageId": "m2"}
        assert renewed.attributes == {"Replayed": "internal"} | ours
        assert [call.name for call in queue.calls[-2:]] == ["send", "delete"]

    play(story())


def test_a_message_that_is_given_back_at_each_stop_is_never_received_too_often() -> None:
    async def story() -> None:
        queue = FakeQueue("a")
        for _ in range(3 * MAX_RECEIVES):
            shop = Shop(queue, for_ever, shutdown_timeout_seconds=0)
            await shop.run_until(now() + 1)
            [message] = queue.messages.values()
            assert message.receive_count < MAX_RECEIVES
            assert message.attributes.get("OriginalMessageId", "m1") == "m1"

    play(story())


@pytest.mark.parametrize("call", ["send", "delete"])
def test_a_message_that_cannot_be_renewed_is_not_lost(call: str) -> None:
    """The copy comes before the deletion: what SQS refuses leaves the message, or both."""

    async def story() -> None:
        queue = FakeQueue()
        queue.put("last").receive_count = LAST
        queue.failures[call].append(StorageUnavailable("SQS is down"))
        shop = Shop(queue, for_ever, shutdown_timeout_seconds=10)
        await shop.run_until(3)
        copies = ["last"] if call == "delete" else []
        assert [message.body for message in queue.messages.values()] == ["last", *copies]

    play(story())


def test_a_message_with_as_many_attributes_as_sqs_takes_is_renewed_with_these() -> None:
    async def story() -> None:
        queue, attributes = FakeQueue(), {f"a{number}": "x" for number in range(10)}
        queue.put("last", attributes).receive_count = LAST
        shop = Shop(queue, for_ever, shutdown_timeout_seconds=10)
        await shop.run_until(3)
        [renewed] = queue.messages.values()
        assert (renewed.receive_count, renewed.attributes) == (0, attributes)

    play(story())
