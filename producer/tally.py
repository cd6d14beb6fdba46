"""The tally of a run: what was stored, what is missing and why, also when interrupted."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from producer.errors import ProducerError

FAILURES_KEPT_COUNT = 10_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Tally:
    """Counts of one run of `total` objects; `on_change` is called after every one of them."""

    total: int
    on_change: Callable[["Tally"], None] = lambda _tally: None
    stored: int = 0
    stored_bytes: int = 0
    unchanged: int = 0  # not written, because the lake has an equal answer
    present: int = 0  # not asked for, because the lake has them
    failed: int = 0
    # Not tried because of an open breaker, by breaker, such as `store 001`
    skipped: Counter[str] = field(default_factory=Counter)
    # The first ones: the subject's fields, and the error's `code`, `message` and `remedy`
    failures: list[dict[str, str]] = field(default_factory=list)
    stopped_by: str | None = None  # why the run ended early
    missed_in_a_row: int = 0  # transient failures since the last success

    @property
    def done(self) -> int:
        """How many objects are finished, well or badly, or skipped."""
        return self.stored + self.unchanged + self.present + self.failed + self.skipped.total()

    @property
    def untried(self) -> int:
        """How many objects were not tried, or were interrupted."""
        return self.total - self.done

    @property
    def is_complete(self) -> bool:
        """Whether everything the run is about is in the lake."""
        return self.done == self.total and not self.failed and not self.skipped

    def add_stored(self, size_bytes: int) -> None:
        """Count one object written."""
        self.stored += 1
        self.stored_bytes += size_bytes
        self.missed_in_a_row = 0
        self.on_change(self)

    def add_unchanged(self) -> None:
        """Count one answer equal to the one in the lake."""
        self.unchanged += 1
        self.missed_in_a_row = 0
        self.on_change(self)

    def add_present(self) -> None:
        """Count one object that is already in the lake."""
        self.present += 1
        self.on_change(self)

    def add_skipped(self, breaker: str) -> None:
        """Count one object that is not tried because a breaker is open."""
        self.skipped[breaker] += 1
        self.on_change(self)

    def add_failure(self, subject: Mapping[str, str], error: ProducerError) -> None:
        """Count one missing object; an error that every other object would meet ends the run."""
        self.failed += 1
        self.missed_in_a_row = self.missed_in_a_row + 1 if error.is_transient else 0
        if len(self.failures) < FAILURES_KEPT_COUNT:
            why = {"code": error.code, "message": str(error), "remedy": error.remedy}
            self.failures.append({**subject, **why})
        log.error("object_not_stored", code=error.code, reason=str(error), **subject)
        if error.stops_the_run:
            self.stop(str(error))
        self.on_change(self)

    def stop(self, reason: str) -> None:
        """End the run: finish what is under way, begin nothing new."""
        self.stopped_by = self.stopped_by or reason
