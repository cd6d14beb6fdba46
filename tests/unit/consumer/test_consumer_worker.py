"""The pool in virtual time: capacity, leases, stopping, and what becomes of each message."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from consumer.admission import Admission
from consumer.breaker import Breaker
from consumer.deadletters import DeadLetters, ErrorLogs
from consumer.errors import (
    ConsumerError,
    DatabaseUnavailable,
    Internal,
    LeaseLost,
    Permanent,
    StorageUnavailable,
)
from consumer.handler import Handler
from consumer.leases import Leases
from consumer.settlement import Backoff, Done, Failed, Outcome
from consumer.sqs import Delivery
from consumer.worker import Desk, Limits, Worker
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent
from tests.unit.consumer.fakes import FakeLedger, FakeLogs, FakeQueue, announcing, now, play

Work = Callable[[Delivery], Awaitable[list[Outcome]]]

DONE: list[Outcome] = [Done(State.LOADED)]
BROKEN = Permanent(ErrorCode.JSON_MALFORMED, "not JSON")


@dataclass
class ScriptedHandler:
    """Does as told, and counts how many messages are in hand."""

    work: Work
    handled: list[str] = field(default_factory=list)
    in_hand: int = 0
    most: int = 0

    async def handle(self, delivery: Delivery) -> list[Outcome]:
        self.handled.append(delivery.message_id)
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        try:
            return await self.work(delivery)
        finally:
            self.in_hand -= 1


class Shop:
    """A worker with everything around it."""

    def __init__(self, queue: FakeQueue, work: Work, **limits: Any) -> None:
        self.queue = queue
        self.dead = FakeQueue()
        self.logs = FakeLogs()
        self.ledger = FakeLedger()
        self.handler = ScriptedHandler(work)
        self.admission = Admission(1000)
        self.down: ConsumerError | None = None
        self.breaker = Breaker(self._probe)
        self.leases = Leases(queue, queue.visibility_seconds)
        desk = Desk(
            cast("Handler", self.handler),
            DeadLetters(self.dead, ErrorLogs(self.logs), self.ledger.record),
            self.leases,
            self.admission,
            self.breaker,
            Backoff(2, 600),
        )
        settings: dict[str, Any] = {
            "in_flight_messages": 20,
            "receivers": 2,
            "receive_wait_seconds": 20,
            "shutdown_timeout_seconds": 25,
        }
        self.worker = Worker(queue, desk, Limits(**settings | limits))

    async def _probe(self) -> None:
        if self.down is not None:
            raise self.down

    async def run_until(self, seconds: float) -> None:
        """Let it work, stop it at that time, and wait for its end."""
        running = asyncio.create_task(self.worker.run())
        await asyncio.sleep(seconds - now())
        self.worker.stop()
        await running


def taking(seconds: float, outcomes: list[Outcome] | None = None) -> Work:
    """Handle each message in so many seconds."""

    async def work(_: Delivery) -> list[Outcome]:
        await asyncio.sleep(seconds)
        return DONE if outcomes is None else outcomes

    return work


async def for_ever(_: Delivery) -> list[Outcome]:
    await asyncio.Event().wait()
    raise AssertionError


def test_a_message_is_deleted_only_after_its_work_is_done() -> None:
    """Beats #38961 and Vector #19711 delete it before the write is durable."""

    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(3))
        await shop.run_until(4)
        [deleted] = shop.queue.called("delete")
        assert deleted.at == pytest.approx(3, abs=0.1)
        assert shop.queue.messages == {}

    play(story())


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


def test_nothing_is_received_while_the_byte_budget_is_spent() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(0))
        async with shop.admission.of(1000):
            running = asyncio.create_task(shop.worker.run())
            await asyncio.sleep(30)
            assert shop.queue.called("receive") == []
        await asyncio.sleep(1)
        assert shop.handler.handled == ["m1"]
        shop.worker.stop()
        await running

    play(story())


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
        shop.queue.latency_seconds["delete"] = 4.5
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


def test_one_transient_failure_retries_the_whole_message_and_parks_nothing_yet() -> None:
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


def test_only_the_failed_records_of_a_message_are_parked() -> None:
    async def story() -> None:
        bad = ObjectEvent("lake", "raw/erp/bad.json", "ObjectCreated:Put")
        outcomes: list[Outcome] = [Done(State.LOADED), Failed(BROKEN, bad), Done(State.IGNORED)]
        shop = Shop(FakeQueue(announcing("raw/erp/good.json", bad.key)), taking(0, outcomes))
        await shop.run_until(1)
        [parked] = shop.dead.messages.values()
        assert "bad.json" in parked.body
        assert "good.json" not in parked.body
        assert shop.queue.messages == {}

    play(story())


@pytest.mark.parametrize("step", ["log", "ledger", "send"])
def test_a_message_whose_parking_fails_is_not_deleted_and_is_parked_later(step: str) -> None:
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
        await asyncio.sleep(1)
        assert list(shop.queue.messages) == ["m1"]
        assert shop.dead.messages == {}
        await asyncio.sleep(60)
        assert shop.queue.messages == {}
        assert len(shop.dead.messages) == 1
        assert shop.handler.handled == ["m1", "m1"]
        shop.worker.stop()
        await running

    play(story())


def test_a_message_that_could_not_be_deleted_comes_again_and_does_no_harm() -> None:
    async def story() -> None:
        shop = Shop(FakeQueue("a"), taking(0))
        shop.queue.failures["delete"] = [StorageUnavailable("away")]
        await shop.run_until(60)
        assert shop.handler.handled == ["m1", "m1"]
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
