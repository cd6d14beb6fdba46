"""One refresher for all who watch the same thing; none while nobody does."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

from consumer.errors import ConsumerError

Ask = Callable[[], Awaitable[str]]


class Shared:
    """Asks at most once in so many seconds, whatever the number of watchers.

    All state belongs to one event loop; no lock is needed, as nothing is awaited between a look at
    it and its change.
    """

    def __init__(self, ask: Ask, every_seconds: float) -> None:
        self._ask = ask
        self._every_seconds = every_seconds
        self._watchers: set[asyncio.Event] = set()
        self._refreshing: asyncio.Task[None] | None = None
        self._told = ""
        self.asked_count = 0

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return len(self._watchers)

    async def pieces(self) -> AsyncGenerator[tuple[str, bool], None]:
        """Yield what is told, each time that it is new; never ends."""
        news = asyncio.Event()
        self._watchers.add(news)
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh(), name="refresh for watchers")
        try:
            while True:
                # A watcher that is slow wakes up to what is new by then: nothing is queued for it.
                await news.wait()
                news.clear()
                yield self._told, False
        finally:
            self._watchers.discard(news)

    async def _refresh(self) -> None:
        while self._watchers:
            # Who does not answer is asked again: the page says since when it has no news.
            with suppress(ConsumerError):
                self.asked_count += 1
                self._told = await self._ask()
                for news in self._watchers:
                    news.set()
            await asyncio.sleep(self._every_seconds)
