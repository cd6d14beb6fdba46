"""The count of a run: what was stored, what is missing and why.

The command creates it and hands it down, so that it is there to be shown when the run is
interrupted. Counts are exact; details of failures are kept up to a limit, because a run may
span years.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from producer.errors import ProducerError

FAILURES_KEPT_COUNT = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not in the lake, and why.

    Attributes:
        subject: What it is: store, day and endpoint, or a file.
        code: The error's code.
        message: What happened, for people.
        remedy: What to do about it.
    """

    subject: Mapping[str, str]
    code: str
    message: str
    remedy: str


@dataclass(slots=True)
class Tally:
    """Counts of one run; `on_change` is called after every one of them.

    Attributes:
        total: How many objects the run is about.
        stored: How many were written.
        stored_bytes: Their size.
        unchanged: How many answers said what the lake has already, so that none was written.
        present: How many were in the lake already and not asked for.
        failed: How many were tried in vain.
        failures: Details of the first `FAILURES_KEPT_COUNT` failures, oldest first.
        stopped_by: Why the run ended early; None when it did not.
        missed_in_a_row: Transient failures since the last success.
    """

    total: int
    on_change: Callable[["Tally"], None] = lambda _tally: None
    stored: int = 0
    stored_bytes: int = 0
    unchanged: int = 0
    present: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    stopped_by: str | None = None
    missed_in_a_row: int = 0

    @property
    def done(self) -> int:
        """How many the run is through with, well or badly."""
        return self.stored + self.unchanged + self.present + self.failed

    @property
    def untried(self) -> int:
        """How many the run never got to, or was interrupted in."""
        return self.total - self.done

    @property
    def is_complete(self) -> bool:
        """Whether everything the run is about lies in the lake."""
        return self.done == self.total and not self.failed

    def add_stored(self, size_bytes: int) -> None:
        """Count one object written."""
        self.stored += 1
        self.stored_bytes += size_bytes
        self.missed_in_a_row = 0
        self.on_change(self)

    def add_unchanged(self) -> None:
        """Count one answer that need not be written."""
        self.unchanged += 1
        self.missed_in_a_row = 0
        self.on_change(self)

    def add_present(self) -> None:
        """Count one object that need not be asked for."""
        self.present += 1
        self.on_change(self)

    def add_failure(self, subject: Mapping[str, str], exc: ProducerError) -> None:
        """Count one object missing; an error that dooms all others ends the run."""
        self.failed += 1
        self.missed_in_a_row = self.missed_in_a_row + 1 if exc.is_transient else 0
        if len(self.failures) < FAILURES_KEPT_COUNT:
            self.failures.append(Failure(subject, exc.code, str(exc), exc.remedy))
        log.error("object.not_stored", code=exc.code, reason=str(exc), **subject)
        if exc.stops_the_run:
            self.stop(str(exc))
        self.on_change(self)

    def stop(self, reason: str) -> None:
        """End the run: what is under way is finished, nothing new is begun."""
        self.stopped_by = self.stopped_by or reason
