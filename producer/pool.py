"""Work beside the event loop: items by a number of workers, large ones in a thread."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from producer.tally import Tally

T = TypeVar("T")
R = TypeVar("R")


async def work_through(
    items: Iterable[T], do: Callable[[T], Awaitable[None]], concurrency: int, tally: Tally
) -> None:
    """Call `do` for every item, in order, so many at a time, until the tally stops the run.

    An item is taken only when a worker is free for it. What `do` raises is a bug.
    """
    queue = iter(items)

    async def work() -> None:
        # The iterator is shared: there is no await between its steps, so no item is taken twice.
        for item in queue:
            if tally.stopped_by is not None:
                return
            await do(item)

    async with asyncio.TaskGroup() as workers:
        for number in range(concurrency):
            workers.create_task(work(), name=f"worker-{number}")


async def off_loop_if_large(size_bytes: int, work: Callable[..., R], *arguments: Any) -> R:
    """Do CPU-bound work on so many bytes, in a thread if it would hold up the event loop."""
    if size_bytes > 1024 * 1024:
        return await asyncio.to_thread(work, *arguments)
    return work(*arguments)
