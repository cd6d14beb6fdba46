"""Messages that are held for faults of their own objects leave room for the others."""

import asyncio

import pytest

from consumer.aws.clients import mapped_read
from consumer.aws.sqs import Delivery
from consumer.errors import AccessDenied, ConsumerError, DatabaseUnavailable
from consumer.ingest.outcome import Failed, Outcome
from tests.support.aws_answers import answer
from tests.support.consumer_fakes import FakeQueue, now, play
from tests.support.shop import DONE, Shop

DENIED = "denied"


def shop_of(queue: FakeQueue, **limits: int) -> Shop:
    """Give a shop whose objects are denied if their message says so, while `shop.locked` is set."""

    async def work(one: Delivery) -> list[Outcome]:
        is_denied = shop.locked and one.body == DENIED
        return (
            [Failed(AccessDenied("the key is disabled", is_about_object=True))]
            if is_denied
            else DONE
        )

    shop = Shop(queue, work, in_flight_messages=200, held=100, **limits)
    shop.locked = True
    return shop


def test_two_hundred_messages_of_denied_objects_do_not_stop_the_good_ones_behind_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They do not reach the dead-letter queue either, and the process does not call itself ready."""
    monkeypatch.setattr("consumer.messages.delivery_tasks._GIVE_BACK_SECONDS", 120)

    async def story() -> None:
        queue = FakeQueue(*[DENIED] * 205, *["good"] * 300)
        shop = shop_of(queue)
        running = asyncio.create_task(shop.worker.run())
        while any(message.body == "good" for message in queue.messages.values()):
            await asyncio.sleep(1)
            assert now() < 60
        assert shop.breakers.reason is not None
        assert "100 access_denied" in shop.breakers.reason
        await asyncio.sleep(6 * 120)
        assert (len(queue.messages), len(shop.dead.messages)) == (205, 0)
        assert max(message.receive_count for message in queue.messages.values()) <= 5
        queue.put("good")
        await asyncio.sleep(10)
        assert len(queue.messages) == 205
        shop.locked = False
        await asyncio.sleep(2 * 120)
        assert queue.messages == {}
        assert shop.breakers.reason is None
        shop.worker.stop()
        await running

    play(story())


def test_when_every_object_is_denied_few_are_received() -> None:
    """The role may have lost its grant: then nobody's receives may be used up."""

    async def story() -> None:
        queue = FakeQueue(*[DENIED] * 3000)
        shop = shop_of(queue)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(1800)
        received = sum(message.receive_count > 0 for message in queue.messages.values())
        assert 200 <= received <= 200 + 20 + 1800 / 5
        shop.worker.stop()
        await running

    play(story())


def test_a_few_held_messages_leave_the_process_ready_and_the_breaker_closed() -> None:
    async def story() -> None:
        shop = shop_of(FakeQueue(*[DENIED] * 99))
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(600)
        assert shop.breakers.reason is None
        assert {message.receive_count for message in shop.queue.messages.values()} == {1}
        shop.worker.stop()
        await running
        assert all(message.visible_at <= now() for message in shop.queue.messages.values())

    play(story())


def test_a_message_is_held_for_days_if_need_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 2,000 tries, which take more than a day when each waits for a minute."""
    monkeypatch.setattr("consumer.messages.delivery_tasks._MAX_HOLD_SECONDS", 0.1)

    async def story() -> None:
        shop = shop_of(FakeQueue(DENIED))
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(200)
        assert [message.receive_count for message in shop.queue.messages.values()] == [1]
        shop.locked = False
        await asyncio.sleep(1)
        assert shop.queue.messages == {}
        shop.worker.stop()
        await running

    play(story())


@pytest.mark.parametrize("held", [10, 20])
def test_messages_that_fill_the_slots_make_the_process_not_ready_though_the_probe_succeeds(
    held: int,
) -> None:
    """A database whose disk is full answers the probe, and holds every message."""

    async def story() -> None:
        async def work(_: Delivery) -> list[Outcome]:
            return [Failed(DatabaseUnavailable("disk full"))]

        shop = Shop(FakeQueue(*["a"] * 30), work, held=held)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(300)
        reasons = set()
        for _ in range(100):
            await asyncio.sleep(1)
            reasons.add(shop.breakers.reason is None)
        assert reasons == {False}
        assert max(message.receive_count for message in shop.queue.messages.values()) == 1
        shop.worker.stop()
        await running

    play(story())


@pytest.mark.parametrize(
    "code", ["KMS.DisabledException", "KMS.NotFoundException", "KMS.KMSInvalidStateException"]
)
def test_an_object_of_a_disabled_key_waits_for_the_key_and_uses_up_no_receive(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """S3 answers 400, which is no word about the message: good ones go on meanwhile."""
    opened: list[ConsumerError] = []

    async def story() -> None:
        async def work(one: Delivery) -> list[Outcome]:
            if shop.locked and one.body == DENIED:
                return [Failed(mapped_read(answer(code, 400), "reading"))]
            return DONE

        queue = FakeQueue(DENIED, "good")
        shop = Shop(queue, work, in_flight_messages=20, held=10)
        shop.locked = True
        monkeypatch.setattr(shop.breakers.outage, "trip", opened.append)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(3600)
        assert [(DENIED, 1)] == [(one.body, one.receive_count) for one in queue.messages.values()]
        assert [] == opened
        shop.locked = False
        await asyncio.sleep(120)
        assert ({}, {}) == (queue.messages, shop.dead.messages)
        shop.worker.stop()
        await running

    play(story())
