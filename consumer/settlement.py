"""What to do with a message once the outcome of each of its records is known. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from consumer.errors import ConsumerError, Permanent
from schemas.codes import State
from schemas.envelopes import ObjectEvent


@dataclass(frozen=True, slots=True)
class Done:
    """A record that reached an end state."""

    state: State


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that failed; `event` is None when the message itself could not be read.

    `log_key` is set when the error log is written already: good records of the document
    committed together with that key.
    """

    error: ConsumerError
    event: ObjectEvent | None = None
    log_key: str | None = None


Outcome = Done | Failed


@dataclass(frozen=True, slots=True)
class Retry:
    """Make the message visible again after a delay."""

    delay_seconds: int
    error: ConsumerError


@dataclass(frozen=True, slots=True)
class Settle:
    """Dead-letter the failures, if any, then delete the message."""

    failures: tuple[Failed, ...]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter; seconds."""

    base_seconds: float
    max_seconds: int

    def delay_seconds(self, receive_count: int) -> int:
        """Return the delay after a message's n-th receipt."""
        # The exponent is bounded before it can overflow a float.
        ceiling = min(self.max_seconds, self.base_seconds * 2 ** min(receive_count - 1, 30))
        return max(1, round(random.uniform(0, ceiling)))  # noqa: S311 - jitter


def decide(outcomes: Sequence[Outcome], receive_count: int, backoff: Backoff) -> Retry | Settle:
    """Decide a message's settlement from its records' outcomes.

    A transient failure of one record retries all: the others are idempotent, and dead-lettering
    the permanent ones now would do it again at the retry.
    """
    failures = tuple(outcome for outcome in outcomes if isinstance(outcome, Failed))
    for failure in failures:
        if not isinstance(failure.error, Permanent):
            return Retry(backoff.delay_seconds(receive_count), failure.error)
    return Settle(failures)
