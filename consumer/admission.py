"""Admission by bytes: an object is downloaded only when there is room for what it announced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Admission:
    """A budget of bytes, shared by everything that is being downloaded, validated or loaded."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._changed = asyncio.Condition()

    @property
    def is_full(self) -> bool:
        """Whether the budget is spent; then it is no use to receive more."""
        return self._held_bytes >= self._limit_bytes

    @asynccontextmanager
    async def of(self, size_bytes: int) -> AsyncIterator[None]:
        """Wait for room and hold it while the block runs.

        Something larger than the whole budget is admitted alone.
        """
        async with self._changed:
            await self._changed.wait_for(
                lambda: not self._held_bytes or self._held_bytes + size_bytes <= self._limit_bytes
            )
            self._held_bytes += size_bytes
        try:
            yield
        finally:
            # No await before the bytes are given back: a cancelled holder must not keep them.
            self._held_bytes -= size_bytes
            async with self._changed:
                self._changed.notify_all()
