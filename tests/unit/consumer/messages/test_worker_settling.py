"""What becomes of a message once its objects have an outcome."""

import asyncio

import pytest

from consumer.aws.sqs import Delivery
from consumer.errors import (
    Internal,
    StorageUnavailable,
)
from consumer.ingest.outcome import Done, Failed, Outcome
from schemas.codes import State
from schemas.envelopes import ObjectEvent
from tests.support.consumer_fakes import FakeQueue, announcing, play
from tests.support.shop import BROKEN, DONE, Shop, taking


def test_a_message_is_deleted_only_after_its_work_is_done() -> None:
    """Beats #38961 and Vector #19711 delete it before the write is durable."""

    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(3))
        await shop.run_until(4)
        [deleted] = shop.queue.called("delete")
        assert deleted.at == pytest.approx(3, abs=0.1)
        assert shop.queue.messages == {}

    play(story())


def test_one_transient_failure_retries_the_whole_message_and_dead_letters_nothing_yet() -> None:
    """Otel-contrib #45153 deletes a message of several records though one failed."""

    async def story() -> None:
        outcomes: list[Outcome] = [Failed(BROKEN), Done(State.LOADED), Failed(Internal("bug"))]
        shop = Shop(FakeQueue("a"), taking(0, outcomes), receivers=1)
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(0.01)
        [retry] = shop.queue.called("change_visibility")
        assert 1 <= retry.seconds <= 2
        assert shop.dead.calls == []
        assert shop.queue.called("delete") == []
        shop.worker.stop()
        await running

    play(story())


def test_only_the_failed_records_of_a_message_are_dead_lettered() -> None:
    async def story() -> None:
        bad = ObjectEvent("lake", "raw/erp/bad.json", "ObjectCreated:Put")
        outcomes: list[Outcome] = [Done(State.LOADED), Failed(BROKEN, bad), Done(State.IGNORED)]
        shop = Shop(FakeQueue(announcing("raw/erp/good.json", bad.key)), taking(0, outcomes))
        await shop.run_until(1)
        [dead_lettered] = shop.dead.messages.values()
        assert "bad.json" in dead_lettered.body
        assert "good.json" not in dead_lettered.body
        assert shop.queue.messages == {}

    play(story())


@pytest.mark.parametrize("step", ["log", "ledger", "send"])
def test_a_message_whose_dead_lettering_fails_is_held_and_dead_lettered_later(step: str) -> None:
    """An outage of what dead-lettering needs uses up no receive, and no second attempt at the object."""

    async def story() -> None:
        bad = ObjectEvent("lake", "raw/erp/bad.json", "ObjectCreated:Put")
        shop = Shop(FakeQueue(announcing(bad.key)), taking(0, [Failed(BROKEN, bad)]))
        failures = {
            "log": shop.logs.failures,
            "ledger": shop.ledger.failures,
            "send": shop.dead.failures["send"],
        }
        failures[step].append(StorageUnavailable("away"))
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(0.3)
        assert list(shop.queue.messages) == ["m1"]
        assert shop.dead.messages == {}
        await asyncio.sleep(60)
        assert shop.queue.messages == {}
        assert len(shop.dead.messages) == 1
        assert shop.handler.handled == ["m1"]
        shop.worker.stop()
        await running

    play(story())


@pytest.mark.parametrize(
    ("failure", "handled"), [(StorageUnavailable("away"), ["m1"]), (Internal("400"), ["m1", "m1"])]
)
def test_a_message_that_could_not_be_deleted_is_deleted_later_and_does_no_harm(
    failure: Exception, handled: list[str]
) -> None:
    """At once, when SQS is back; after its visibility timeout, when nobody knows what it has."""

    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(0))
        shop.queue.failures["delete"] = [failure]
        await shop.run_until(60)
        assert shop.handler.handled == handled
        assert shop.queue.messages == {}

    play(story())


def test_deletions_are_batched_and_each_entry_has_its_own_end() -> None:
    async def story() -> None:
        queue = FakeQueue(*"abcdefghijkl")
        queue.refused["m3"] = RuntimeError("InternalError")
        shop = Shop(queue, taking(1))
        await shop.run_until(5)
        assert [len(call.ids) for call in queue.called("delete")] == [10, 2]
        assert list(queue.messages) == ["m3"]

    play(story())


def test_a_batch_of_deletions_that_fails_leaves_none_of_its_messages_waiting() -> None:
    """The race: one message's task deletes for all, and what it raises concerns all."""

    async def story(failure: Exception) -> None:
        shop = Shop(FakeQueue("a", "b", "c"), taking(0))
        shop.queue.failures["delete"] = [failure]
        running = asyncio.create_task(shop.worker.run())
        await asyncio.sleep(20)
        assert shop.worker._in_flight == {}
        await asyncio.sleep(40)
        assert shop.queue.messages == {}
        shop.worker.stop()
        await running

    play(story(StorageUnavailable("away")))
    play(story(ZeroDivisionError()))


def test_a_bug_in_the_work_itself_leaves_the_message_to_the_queue() -> None:
    async def story() -> None:
        async def work(delivery: Delivery) -> list[Outcome]:
            if delivery.receive_count == 1:
                raise ZeroDivisionError
            return DONE

        shop = Shop(FakeQueue("a"), work)
        await shop.run_until(60)
        assert shop.handler.handled == ["m1", "m1"]
        assert shop.queue.messages == {}

    play(story())
