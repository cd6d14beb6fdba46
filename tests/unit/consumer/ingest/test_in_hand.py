"""A budget of bytes for what is downloaded, validated or loaded."""

import asyncio

import pytest

from consumer.ingest.in_hand import ByteBudget
from tests.support.consumer_fakes import now, play


def test_what_fits_goes_in_and_the_rest_waits_for_room() -> None:
    async def story() -> None:
        byte_budget, inside, most = ByteBudget(100), 0, 0

        async def hold(size_bytes: int) -> None:
            nonlocal inside, most
            async with byte_budget.of(size_bytes):
                inside += size_bytes
                most = max(most, inside)
                await asyncio.sleep(1)
                inside -= size_bytes

        await asyncio.gather(*(hold(30) for _ in range(9)))
        assert most == 90
        assert now() == 3

    play(story())


def test_something_larger_than_the_budget_goes_in_alone() -> None:
    async def story() -> None:
        byte_budget = ByteBudget(100)
        async with byte_budget.of(1):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10), byte_budget.of(500):
                    pass
        async with byte_budget.of(500):
            assert byte_budget.is_full
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10), byte_budget.of(1):
                    pass

    play(story())


def test_a_large_one_is_not_overtaken_for_ever_by_small_ones() -> None:
    async def story() -> None:
        byte_budget = ByteBudget(100)
        admitted_at = 0.0

        async def small() -> None:
            while True:
                async with byte_budget.of(10):
                    await asyncio.sleep(1)

        async def large() -> None:
            nonlocal admitted_at
            async with byte_budget.of(90):
                admitted_at = now()

        busy = []
        for number in range(10):
            busy.append(asyncio.create_task(small()))
            await asyncio.sleep(0.05 * number)
        waiting = asyncio.create_task(large())
        await asyncio.sleep(60)
        for task in (*busy, waiting):
            task.cancel()
        assert 0 < admitted_at < 10

    play(story())


def test_who_is_cancelled_gives_back_and_who_gives_up_takes_nothing() -> None:
    """The race: cancelled while waiting for room, or while holding it."""

    async def story() -> None:
        byte_budget = ByteBudget(100)

        async def hold() -> None:
            async with byte_budget.of(100):
                await asyncio.Event().wait()

        holding, waiting = asyncio.create_task(hold()), asyncio.create_task(hold())
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(1)
        holding.cancel()
        async with asyncio.timeout(1), byte_budget.of(100):
            assert byte_budget.is_full
        assert not byte_budget.is_full

    play(story())


def test_nothing_is_full_before_the_last_byte_is_held() -> None:
    async def story() -> None:
        byte_budget = ByteBudget(100)
        async with byte_budget.of(99):
            assert not byte_budget.is_full
            async with byte_budget.of(1):
                assert byte_budget.is_full
            assert not byte_budget.is_full

    play(story())
