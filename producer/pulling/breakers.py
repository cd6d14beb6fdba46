"""Breakers: a store or an endpoint that keeps failing is skipped for the rest of the run.

One store that hangs would otherwise hold every worker for its timeouts, day after day.
"""

from collections import Counter

import structlog

from producer.pulling.targets import PullTarget

log = structlog.get_logger(__name__)


class Breakers:
    """Counts transient failures of stores and endpoints; `limit` in a row open a breaker."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failures: Counter[str] = Counter()
        self._answering: set[str] = set()

    def open_for(self, target: PullTarget) -> str | None:
        """Return what is skipped, such as `store 001`, if the target may not be asked for."""
        return next((name for name in _names(target) if self._failures[name] >= self._limit), None)

    def note_answer(self, target: PullTarget) -> None:
        """Close the breakers of a target."""
        for name in _names(target):
            self._failures.pop(name, None)
        self._answering.add(target.store_id)

    def note_failure(self, target: PullTarget) -> None:
        """Count one transient failure; against the endpoint only if the store answered others."""
        store, endpoint = _names(target)
        for name in (store, endpoint) if target.store_id in self._answering else (store,):
            self._failures[name] += 1
            if self._failures[name] == self._limit:
                log.warning("breaker_opened", skipped=name, failures=self._limit)


def _names(target: PullTarget) -> tuple[str, str]:
    return f"store {target.store_id}", f"endpoint {target.endpoint.name}"
