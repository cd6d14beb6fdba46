"""The worker pool takes no more than it can work on."""

import asyncio
from collections.abc import Iterator

import pytest

from producer.pool import work_through
from producer.tally import Tally


async def test_items_are_taken_only_when_a_worker_is_free() -> None:
    taken = []
    running = peak = 0
    release = asyncio.Event()

    def items() -> Iterator[int]:
        for number in range(1_000):
            taken.append(number)
            yield number

    async def do(_item: int) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await release.wait()
        await asyncio.sleep(0)
        running -= 1

    work = asyncio.create_task(work_through(items(), do, 3, Tally(0)))
    for _ in range(20):
        await asyncio.sleep(0)
    assert taken == [0, 1, 2]
    release.set()
    await work
    assert (len(taken), peak) == (1_000, 3)


async def test_every_item_is_done_exactly_once() -> None:
    done: list[int] = []

    async def do(item: int) -> None:
        await asyncio.sleep(0)
        done.append(item)

    await work_through(range(100), do, 7, Tally(0))
    assert sorted(done) == list(range(100))


async def test_a_bug_is_raised_and_cancels_the_other_workers() -> None:
    cancelled = []

    async def do(item: int) -> None:
        if item == 1:
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    with pytest.raises(ExceptionGroup) as caught:
        await work_through(range(5), do, 2, Tally(0))
    assert caught.group_contains(ZeroDivisionError)
    assert cancelled == [0]
