"""A fixed number of workers over any number of items."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


async def work_through(
    items: Iterable[T], do: Callable[[T], Awaitable[None]], concurrency: int
) -> None:
    """Call `do` for every item, at most `concurrency` at a time.

    An item is taken only when a worker is free for it, so that `items` may be a generator over
    years.

    Args:
        items: Taken one by one, in order.
        do: Handles one item. What it raises is a bug: it cancels the others and is raised.
        concurrency: How many run at once, at least 1.

    Raises:
        ExceptionGroup: `do` raised.
    """
    queue = iter(items)
    async with asyncio.TaskGroup() as workers:
        for number in range(concurrency):
            workers.create_task(_work(queue, do), name=f"worker-{number}")


async def _work(queue: Iterator[T], do: Callable[[T], Awaitable[None]]) -> None:
    # The iterator is shared: there is no await between its steps, so no item is taken twice.
    for item in queue:
        await do(item)
