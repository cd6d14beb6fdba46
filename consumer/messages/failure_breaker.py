"""The breaker that knows failures: when too much fails for good, we may be to blame.

Counted are the failures of objects that were not dead-lettered before, within a window of time; a
document of which most records load is no failure, a bug is one. Documents whose like was never
loaded (of their endpoint and store, or under their key) say nothing about this release: they are
neither counted nor held. While it is open, one message at a time is let through, ever more seldom.
One that fails is held; three in a row that load close it.
"""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from time import monotonic

import structlog

from consumer.messages.settlement import Retry, Settle
from consumer.metrics import BREAKER_OPEN, BREAKER_OPENED, Cause
from schemas.codes import ErrorCode, State

log = structlog.get_logger()

_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 30.0, 900.0
_PROBES_IN_A_ROW = 3
_REMEDY = (
    "nothing more is dead-lettered. If a release or a renamed field is to blame, roll it back or "
    "add an alias (`consumer drift`, `consumer dlq list`) and restart; if the objects are, set "
    "FAILURE_BURST_MIN_OBJECTS=0 and restart to dead-letter them"
)


@dataclass(frozen=True, slots=True)
class BurstLimits:
    """What is too much: so many failures within the window, and such a share of its objects."""

    min_objects: int
    percent: int
    window_seconds: int

    @property
    def is_off(self) -> bool:
        """Whether nothing is ever too much."""
        return self.min_objects == 0

    def exceeded_by(self, failed: int, loaded: int) -> bool:
        """Say whether that is too much."""
        if self.is_off or failed < self.min_objects:
            return False
        return 100 * failed >= self.percent * (failed + loaded)


class FailureBreaker:
    """Counts what fails, and suspends the work when that is too much.

    With `begins_cautious` it starts with probes: the former process may have been suspended, and a
    restart must not dead-letter another burst.
    """

    def __init__(self, limits: BurstLimits, *, begins_cautious: bool = False) -> None:
        self._limits = limits
        # What ended, by second and in all: failures by code, and what loaded under None
        self._window: deque[tuple[int, Counter[ErrorCode | None]]] = deque()
        self._ended: Counter[ErrorCode | None] = Counter()
        self._closed, self._opened = asyncio.Event(), asyncio.Event()  # or half-open, neither
        self.reason: str | None = None  # why work is suspended, and what to do
        self._good_in_a_row = 0
        self._next_probe = 0.0
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._closed_at = -float("inf")
        self._is_cautious = begins_cautious and not limits.is_off
        if not self._is_cautious:
            self._closed.set()

    @property
    def is_open(self) -> bool:
        """Whether work is suspended: a failure is then held instead of dead-lettered."""
        return self._opened.is_set()

    @property
    def is_probing(self) -> bool:
        """Whether what is received now is received as a probe."""
        return not self._closed.is_set()

    async def wait_open(self) -> None:
        """Wait until work is suspended."""
        await self._opened.wait()

    async def wait_closed(self) -> None:
        """Wait until work may go on."""
        await self._closed.wait()

    def allowance(self, wanted: int) -> int:
        """Return how many messages may be received now: all, one as a probe, or none."""
        if self._closed.is_set():
            return wanted
        if monotonic() < self._next_probe:
            return 0
        self._next_probe = monotonic() + self._pause_seconds
        return 1

    def no_probe_came(self) -> None:
        """Take back the probe that was allowed: the queue had none."""
        self._next_probe = monotonic()

    def observe(self, decision: Retry | Settle, *, was_dead_lettered: bool) -> None:
        """Learn what was decided; the failure of a replay says nothing about this release."""
        loaded, failed = _judged(decision)
        if was_dead_lettered and not self.is_open:
            failed.clear()
        if not self._closed.is_set():
            self._learn_from_probe(loaded, failed)
        elif not was_dead_lettered and (loaded or failed):
            self._count(loaded, failed)

    def _count(self, loaded: int, failed: Counter[ErrorCode]) -> None:
        now = monotonic()
        while self._window and self._window[0][0] < now - self._limits.window_seconds:
            self._ended -= self._window.popleft()[1]
        if not self._window or self._window[-1][0] != int(now):
            self._window.append((int(now), Counter()))
        for ended in (self._window[-1][1], self._ended):
            ended.update(failed)
            ended[None] += loaded
        codes = Counter({code: count for code, count in self._ended.items() if code})
        if failed and self._limits.exceeded_by(codes.total(), self._ended[None]):
            self._trip(codes, self._ended.total())

    def _learn_from_probe(self, loaded: int, failed: Counter[ErrorCode]) -> None:
        if failed:
            self._good_in_a_row = 0
            self._next_probe = monotonic() + self._pause_seconds
            if not self.is_open:
                self._trip(failed, failed.total())
            else:
                self._pause_seconds = seconds = self._longer_pause()
                log.warning("probe_failed", cause=Cause.FAILURE_BURST, next_probe_seconds=seconds)
            return
        self._next_probe = monotonic()
        self._good_in_a_row += bool(loaded)
        if self._good_in_a_row >= _PROBES_IN_A_ROW:
            self._close()

    def _trip(self, codes: Counter[ErrorCode], total: int) -> None:
        is_new = monotonic() - self._closed_at > self._limits.window_seconds
        self._pause_seconds = _FIRST_PAUSE_SECONDS if is_new else self._longer_pause()
        reasons = ", ".join(f"{count} {code}" for code, count in codes.most_common())
        lately = " after a former burst" if self._is_cautious else ""
        self.reason = f"{codes.total()} of {total} objects failed{lately} ({reasons}): {_REMEDY}"
        self._window.clear()
        self._ended.clear()
        self._good_in_a_row = 0
        self._next_probe = monotonic() + self._pause_seconds
        self._closed.clear()
        self._opened.set()
        BREAKER_OPEN.labels(Cause.FAILURE_BURST).set(1)
        BREAKER_OPENED.labels(codes.most_common(1)[0][0]).inc()
        told = {"objects": total, "failed": dict(codes), "remedy": _REMEDY}
        log.error("breaker_opened", cause=Cause.FAILURE_BURST, **told)

    def _longer_pause(self) -> float:
        return min(2 * self._pause_seconds, _MAX_PAUSE_SECONDS)

    def _close(self) -> None:
        self.reason = None
        self._is_cautious = False
        self._closed_at = monotonic()
        self._opened.clear()
        self._closed.set()
        BREAKER_OPEN.labels(Cause.FAILURE_BURST).set(0)
        log.info("breaker_closed", cause=Cause.FAILURE_BURST)


def _judged(decision: Retry | Settle) -> tuple[int, Counter[ErrorCode]]:
    """Return how many objects loaded, and which codes count as failures."""
    if isinstance(decision, Retry):
        bugs = [failed for failed in decision.failures if failed.error.code is ErrorCode.INTERNAL]
        return 0, Counter({ErrorCode.INTERNAL: len(bugs)}) if bugs else Counter()
    loaded = sum(done.state is State.LOADED for done in decision.done)
    loaded += sum(failed.is_mostly_loaded for failed in decision.dead_lettered)
    lost = [failed.error.code for failed in decision.suspicious if not failed.is_mostly_loaded]
    return loaded, Counter(lost)
