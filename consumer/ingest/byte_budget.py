"""The byte budget: an object is downloaded only when there is room for its announced size."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumer.metrics import IN_FLIGHT_BYTES


class ByteBudget:
    """A budget of bytes, shared by everything that is being downloaded, validated or loaded."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._turn = asyncio.Lock()
        self._given_back = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether the budget is spent; then it is no use to receive more."""
        return self._held_bytes >= self._limit_bytes

    @asynccontextmanager
    async def of(self, size_bytes: int) -> AsyncIterator[None]:
        """Wait for room, first come, first served; what exceeds the budget comes in alone."""
        # A large object is not overtaken for ever by small ones.
        async with self._turn:
            while self._held_bytes and self._held_bytes + size_bytes > self._limit_bytes:
                self._given_back.clear()
                await self._given_back.wait()
            self._held_bytes += size_bytes
            IN_FLIGHT_BYTES.set(self._held_bytes)
        try:
            yield
        finally:
            # No await: a cancelled holder must give its bytes back, too.
            self._held_bytes -= size_bytes
            IN_FLIGHT_BYTES.set(self._held_bytes)
            self._given_back.set()
