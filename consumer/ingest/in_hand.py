"""What is in hand: bytes of objects, within a budget, and the objects that are being loaded.

An object is downloaded only when there is room for its announced size.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

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


@dataclass(eq=False, slots=True)
class ObjectInHand:
    """One object, from before its download to its commit."""

    begun_at: float
    is_streamed: bool = False


class InHand:
    """The objects that this process works on; one that still waits for room is not among them."""

    def __init__(self) -> None:
        self._objects: set[ObjectInHand] = set()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[ObjectInHand]:
        """Count an object while the block runs."""
        made = ObjectInHand(monotonic())
        self._objects.add(made)
        try:
            yield made
        finally:
            self._objects.discard(made)

    def is_costly(self, seconds: float) -> bool:
        """Say whether one of them is read as a stream, or was begun longer ago than that."""
        early = monotonic() - seconds
        return any(one.is_streamed or one.begun_at < early for one in self._objects)
