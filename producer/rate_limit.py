"""A rate limit: evenly spaced turns, without bursts."""

import asyncio

# A task that wakes up a little late keeps its turn. A process that stood still for longer loses
# the turns it missed, or it would take them all at once.
_LATE_SECONDS = 0.02


class RateLimit:
    """Hands out `per_second` turns to any number of tasks; those not taken are not saved up."""

    def __init__(self, per_second: float) -> None:
        self._gap_seconds = 1 / per_second
        self._next_turn = 0.0
        self._queue = asyncio.Lock()

    async def turn(self, count: int = 1) -> None:
        """Wait for `count` turns; first come, first served."""
        clock = asyncio.get_running_loop().time
        async with self._queue:
            wait_seconds = self._next_turn - clock()
            if wait_seconds > 0:
                await asyncio.sleep(wait_seconds)
            mine = max(self._next_turn, clock() - _LATE_SECONDS)
            self._next_turn = mine + count * self._gap_seconds
