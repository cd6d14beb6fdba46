"""Leases in virtual time: when they are extended, and when they are lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from consumer.aws.sqs import Delivery
from consumer.errors import LeaseLost, StorageUnavailable
from consumer.messages.leases import Leases
from tests.support.consumer_fakes import FakeQueue, now, play


@asynccontextmanager
async def keeping(queue: FakeQueue, count: int = 1) -> AsyncIterator[tuple[Leases, list[Delivery]]]:
    """Receive messages and keep their leases while the block runs."""
    for number in range(count):
        queue.put(str(number))
    leases = Leases(queue, queue.visibility_seconds)
    deliveries: list[Delivery] = []
    while len(deliveries) < count:
        deliveries += await queue.receive(10, 1)
    for one in deliveries:
        leases.hold(one, now())
    task = asyncio.create_task(leases.keep())
    try:
        yield leases, deliveries
    finally:
        task.cancel()


def test_a_lease_is_extended_once_half_of_it_is_over() -> None:
    async def story() -> None:
        queue = FakeQueue(visibility_seconds=30)
        async with keeping(queue) as (leases, [one]):
            await asyncio.sleep(100)
            times = [call.at for call in queue.called("change_visibility")]
            assert times[0] == pytest.approx(15, abs=1.1)
            gaps = {b - a for a, b in pairwise(times)}
            assert all(gap == pytest.approx(15, abs=1.1) for gap in gaps)
            assert leases.is_held(one)
            assert queue.messages["m1"].receive_count == 1

    play(story())


@pytest.mark.parametrize("visibility_seconds", [1, 2, 10, 3600])
def test_a_lease_never_runs_out_whatever_the_queue_s_timeout(visibility_seconds: int) -> None:
    async def story() -> None:
        queue = FakeQueue(visibility_seconds=visibility_seconds)
        async with keeping(queue) as (leases, [one]):
            for _ in range(300):
                await asyncio.sleep(visibility_seconds / 30)
                assert leases.is_held(one)
                assert queue.messages["m1"].visible_at > now()

    play(story())


def test_all_that_is_held_is_extended_ten_at_a_time() -> None:
    """Others start at processing, and messages that wait in a batch expire (Vector #4910)."""

    async def story() -> None:
        queue = FakeQueue(visibility_seconds=30)
        async with keeping(queue, count=23) as (leases, deliveries):
            await asyncio.sleep(17)
            sizes = [len(call.ids) for call in queue.called("change_visibility")]
            assert sorted(sizes) == [3, 10, 10]
            await asyncio.sleep(100)
            assert all(leases.is_held(one) for one in deliveries)

    play(story())


def test_one_refused_entry_is_lost_and_its_neighbours_are_not() -> None:
    async def story() -> None:
        queue = FakeQueue(visibility_seconds=30)
        async with keeping(queue, count=3) as (leases, deliveries):
            queue.refused["m2"] = LeaseLost("m2")
            await asyncio.sleep(20)
            assert [leases.is_held(one) for one in deliveries] == [True, False, True]
            queue.refused.clear()
            await asyncio.sleep(60)
            assert [leases.is_held(one) for one in deliveries] == [True, False, True]
            assert sum("m2" in call.ids for call in queue.called("change_visibility")) == 1

    play(story())


def test_an_entry_that_failed_for_another_reason_is_tried_again_and_not_lost() -> None:
    async def story() -> None:
        queue = FakeQueue(visibility_seconds=30)
        async with keeping(queue) as (leases, [one]):
            queue.refused["m1"] = RuntimeError("InternalError")
            await asyncio.sleep(20)
            assert leases.is_held(one)
            queue.refused.clear()
            await asyncio.sleep(100)
            assert leases.is_held(one)

    play(story())


def test_calls_that_fail_as_a_whole_keep_leases_until_they_run_out() -> None:
    async def story() -> None:
        queue = FakeQueue(visibility_seconds=30)
        async with keeping(queue) as (leases, [one]):
            queue.failures["change_visibility"] = [StorageUnavailable("away")] * 1000
            await asyncio.sleep(29)
            assert leases.is_held(one)
            await asyncio.sleep(2)
            assert not leases.is_held(one)

    play(story())


def test_a_lease_counts_from_before_the_call_that_extended_it() -> None:
    """The race: nobody knows when within the call SQS started to count."""

    async def story() -> None:
        queue = FakeQueue(visibility_seconds=30)
        async with keeping(queue) as (leases, [one]):
            queue.latency_seconds["change_visibility"] = 5
            await asyncio.sleep(22)
            [extension] = queue.called("change_visibility")
            queue.failures["change_visibility"] = [StorageUnavailable("away")] * 1000
            await asyncio.sleep(extension.at + 30 - now() - 0.01)
            assert leases.is_held(one)
            await asyncio.sleep(0.02)
            assert not leases.is_held(one)

    play(story())


def test_a_message_settled_while_its_lease_is_extended_is_not_held_again() -> None:
    """The race: the extension's answer comes after the message was let go."""

    async def story() -> None:
        queue = FakeQueue(visibility_seconds=30)
        async with keeping(queue) as (leases, [one]):
            queue.latency_seconds["change_visibility"] = 5
            await asyncio.sleep(17)
            assert len(queue.called("change_visibility")) == 1
            leases.let_go(one)
            await asyncio.sleep(60)
            assert not leases.is_held(one)
            assert len(queue.called("change_visibility")) == 1

    play(story())


def test_letting_go_of_what_is_not_held_is_no_error() -> None:
    async def story() -> None:
        async with keeping(FakeQueue()) as (leases, [one]):
            leases.let_go(one)
            leases.let_go(one)
            assert not leases.is_held(one)

    play(story())
