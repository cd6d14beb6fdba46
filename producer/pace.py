"""How often something may be done: evenly spaced turns, without bursts."""

import asyncio


class Pace:
    """Hands out turns, `per_second` of them, to any number of tasks.

    Args:
        per_second: Turns per second, above 0. Turns not taken are not saved up.
    """

    def __init__(self, per_second: float) -> None:
        self._gap_seconds = 1 / per_second
        self._next_turn = 0.0

    async def turn(self, count: int = 1) -> None:
        """Wait for a turn that counts as `count`; tasks get theirs in the order of asking."""
        now = asyncio.get_running_loop().time()
        # Taken before the wait: whoever asks meanwhile gets a later one.
        mine = max(now, self._next_turn)
        self._next_turn = mine + count * self._gap_seconds
        if mine > now:
            await asyncio.sleep(mine - now)
