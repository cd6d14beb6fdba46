"""A fixed number of workers over any number of items."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


async def work_through(
    items: Iterable[T], do: Callable[[T], Awaitable[None]], concurrency: int
) -> None:
    """Call `do` for every item, at most `concurrency` at a time.

    An item is taken from `items` only when a worker is free for it, so neither a generator
    over years nor its tasks are ever held in memory.

    Args:
        items: Taken one by one, in order.
        do: Handles one item. What it raises is a bug: it cancels the others and is raised.
        concurrency: How many run at once, at least 1.

    Raises:
        ExceptionGroup: `do` raised.
    """
    queue = iter(items)
    async with asyncio.TaskGroup() as workers:
        for _ in range(concurrency):
            workers.create_task(_work(queue, do))


async def _work(queue: Iterator[T], do: Callable[[T], Awaitable[None]]) -> None:
    # No await between two steps of the shared iterator: workers cannot get the same item.
    for item in queue:
        await do(item)
