"""A fixed number of workers over any number of items."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def work_through(
    items: Iterable[T], do: Callable[[T], Awaitable[None]], concurrency: int
) -> None:
    """Call `do` for every item, in order, at most `concurrency` at a time.

    An item is taken only when a worker is free for it. What `do` raises is a bug.
    """
    queue = iter(items)

    async def work() -> None:
        # The iterator is shared: there is no await between its steps, so no item is taken twice.
        for item in queue:
            await do(item)

    async with asyncio.TaskGroup() as workers:
        for number in range(concurrency):
            workers.create_task(work(), name=f"worker-{number}")
