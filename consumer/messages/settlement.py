"""What to do with a message once the outcome of each of its records is known. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from consumer.errors import Transient
from consumer.ingest.outcome import Done, Failed, Outcome
from consumer.policy import Policy, Reaction
from schemas.codes import ErrorCode


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the message until what it needs works again, then handle it once more."""

    failures: tuple[Failed, ...]

    @property
    def error(self) -> Transient:
        """What to wait for: a fault that concerns everything before one of an object."""
        errors = [f.error for f in self.failures if isinstance(f.error, Transient)]
        return min(errors, key=lambda error: error.is_about_object)


@dataclass(frozen=True, slots=True)
class Retry:
    """Make the message visible again after a delay; if `is_last`, SQS dead-letters it instead."""

    delay_seconds: int
    failures: tuple[Failed, ...]
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Settle:
    """Dead-letter what failed, note what is ignored, then delete the message."""

    done: tuple[Done, ...] = ()
    dead_lettered: tuple[Failed, ...] = ()
    ignored: tuple[Failed, ...] = ()

    @property
    def suspicious(self) -> tuple[Failed, ...]:
        """Dead-lettered, though their like was loaded once: a release may be to blame."""
        return tuple(failed for failed in self.dead_lettered if not failed.is_newcomer)


@dataclass(frozen=True, slots=True)
class Renew:
    """Send a copy with all its receives in the message's place; it was not worked on."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides: policy, backoff, and the queue's redrive limit if it has one."""

    policy: Policy
    base_seconds: float
    max_seconds: int
    max_receives: int | None = None

    def delay_seconds(self, receive_count: int) -> int:
        """Return the delay after a message's n-th receipt: exponential, with full jitter."""
        # The exponent is bounded before it can overflow a float.
        ceiling = min(self.max_seconds, self.base_seconds * 2 ** min(receive_count - 1, 30))
        return max(1, round(random.uniform(0, ceiling)))  # noqa: S311 - jitter

    def is_last(self, receive_count: int) -> bool:
        """Say whether a message that is given back now will not be handed out again."""
        return self.max_receives is not None and receive_count >= self.max_receives

    def reaction(self, failed: Failed, receive_count: int) -> Reaction:
        """Return what to do about one failure of a message's n-th receipt."""
        reaction = self.policy.reaction(failed.error)
        is_bug = failed.error.code is ErrorCode.INTERNAL
        if reaction is Reaction.RETRY and not is_bug and self.is_last(receive_count):
            # The redrive policy would dead-letter it too, but without its reason.
            return Reaction.DEAD_LETTER
        return reaction


def decide(outcomes: Sequence[Outcome], receive_count: int, terms: Terms) -> Hold | Retry | Settle:
    """Decide a message's settlement from its records' outcomes.

    One record that waits makes all wait: what is dead-lettered now would be again at the retry.
    """
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    by_reaction: dict[Reaction, list[Failed]] = {reaction: [] for reaction in Reaction}
    for failed in failures:
        by_reaction[terms.reaction(failed, receive_count)].append(failed)
    if held := by_reaction[Reaction.HOLD]:
        return Hold(tuple(held))
    if retried := by_reaction[Reaction.RETRY]:
        is_last = terms.is_last(receive_count)
        told = failures if is_last else retried
        return Retry(terms.delay_seconds(receive_count), tuple(told), is_last)
    return Settle(
        tuple(outcome for outcome in outcomes if isinstance(outcome, Done)),
        tuple(by_reaction[Reaction.DEAD_LETTER]),
        tuple(by_reaction[Reaction.IGNORE]),
    )
