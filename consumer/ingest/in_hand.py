"""What is being read and loaded right now, and how much would be lost if it had to stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic


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
