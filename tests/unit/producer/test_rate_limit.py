"""Turns are spaced, whatever the clock of a busy machine does."""

import asyncio
import time

from producer.rate_limit import RateLimit


async def test_a_process_that_stood_still_does_not_catch_up_at_once() -> None:
    """The race: the machine sleeps for a while, and all turns of that time are due."""
    rate_limit, taken = RateLimit(per_second=100), list[float]()

    async def take() -> None:
        await rate_limit.turn()
        taken.append(asyncio.get_running_loop().time())

    tasks = [asyncio.create_task(take()) for _ in range(60)]
    while len(taken) < 10:
        await asyncio.sleep(0.001)
    time.sleep(0.3)  # noqa: ASYNC251 - the loop stands still: thirty turns pass unused
    await asyncio.gather(*tasks)
    late = taken[-1] - taken[9]
    assert late >= 0.3 + (50 - 1) / 100 - 0.1


async def test_turns_that_count_for_several_take_as_long() -> None:
    rate_limit = RateLimit(per_second=100)
    started = asyncio.get_running_loop().time()
    for count in (10, 10, 1):
        await rate_limit.turn(count)
    assert asyncio.get_running_loop().time() - started >= 0.2 - 0.03


async def test_turns_not_taken_are_not_saved_up() -> None:
    rate_limit = RateLimit(per_second=100)
    await rate_limit.turn()
    await asyncio.sleep(0.2)
    started = asyncio.get_running_loop().time()
    for _ in range(11):
        await rate_limit.turn()
    assert asyncio.get_running_loop().time() - started >= 0.1 - 0.03
