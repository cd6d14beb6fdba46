"""How fast requests come: what a caller's own limit is held against."""

import time
from collections import deque
from collections.abc import Callable

_SECOND = 1.0


class Meter:
    """Counts the requests within any one second.

    Attributes:
        busiest: The most that came within one second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: deque[float] = deque()
        self.busiest = 0

    def note(self) -> None:
        """Count one request, now."""
        now = self._clock()
        self._recent.append(now)
        while self._recent[0] <= now - _SECOND:
            self._recent.popleft()
        self.busiest = max(self.busiest, len(self._recent))
