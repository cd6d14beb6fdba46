"""Answers that may be some seconds old: asked for once, for all who want the same meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable

from console.data.database import Row
from consumer.errors import ConsumerError

_MOST = 200  # kept at once; each is some rows

Ask = Callable[[], Awaitable[list[Row]]]


class Recent:
    """Keeps answers for so many seconds; of failures, nothing. Belongs to one event loop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers: dict[Hashable, tuple[float, asyncio.Task[list[Row]]]] = {}

    async def get(self, key: Hashable, ask: Ask) -> list[Row]:
        """Return what `ask` answers, or answered a moment ago; raises what it raises."""
        asked_at, answer = self._answers.get(key, (0.0, None))
        if answer is None or time.monotonic() - asked_at > self._seconds:
            if len(self._answers) >= _MOST:
                self._answers.clear()
            answer = asyncio.create_task(_answer(ask), name="ask for all who want it")
            # Nobody may be left to hear of a failure.
            answer.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._answers[key] = time.monotonic(), answer
        try:
            # A visitor that leaves takes nothing from the others.
            return await asyncio.shield(answer)
        except ConsumerError:
            self._answers.pop(key, None)
            raise


async def _answer(ask: Ask) -> list[Row]:
    return await ask()
