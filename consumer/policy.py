"""What becomes of a message whose object failed: one table, by error code. Pure.

Some reactions can be chosen otherwise in `ERROR_POLICY`; those of broken documents cannot, because
the same bytes fail again, and those of outages cannot, because no message is to blame for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from consumer.errors import ConsumerError, Transient
from schemas.codes import ErrorCode


class Reaction(StrEnum):
    """What is done about a failure."""

    DEAD_LETTER = "dead_letter"  # error log, dead-letter queue, deletion
    IGNORE = "ignore"  # a ledger row that says so, and deletion
    RETRY = "retry"  # back to the queue with backoff, until its redrive policy parks it
    HOLD = "hold"  # the breaker opens; the message is held and uses up no receive


@dataclass(frozen=True, slots=True)
class Rule:
    """The reaction to a code, and those that may be chosen instead."""

    reaction: Reaction
    instead: tuple[Reaction, ...] = ()


_PARKED = Rule(Reaction.DEAD_LETTER)
_HELD = Rule(Reaction.HOLD)

RULES: Mapping[ErrorCode, Rule] = {
    ErrorCode.EVENT_MALFORMED: _PARKED,
    ErrorCode.UNKNOWN_SOURCE: Rule(Reaction.DEAD_LETTER, (Reaction.IGNORE,)),
    ErrorCode.OBJECT_MISSING: Rule(Reaction.DEAD_LETTER, (Reaction.IGNORE, Reaction.RETRY)),
    ErrorCode.OBJECT_ARCHIVED: Rule(Reaction.DEAD_LETTER, (Reaction.IGNORE, Reaction.RETRY)),
    ErrorCode.OBJECT_TOO_LARGE: _PARKED,
    ErrorCode.JSON_MALFORMED: _PARKED,
    ErrorCode.ENCODING_INVALID: _PARKED,
    ErrorCode.SCHEMA_INVALID: _PARKED,
    ErrorCode.RECORDS_INVALID: _PARKED,
    ErrorCode.IDENTITY_MISMATCH: _PARKED,
    ErrorCode.AMBIGUOUS_FIELD: _PARKED,
    ErrorCode.DATA_REJECTED: _PARKED,
    ErrorCode.STORAGE_UNAVAILABLE: _HELD,
    ErrorCode.DATABASE_UNAVAILABLE: _HELD,
    ErrorCode.THROTTLED: _HELD,
    # Chosen otherwise for single objects only: without any permission, everything waits.
    ErrorCode.ACCESS_DENIED: Rule(Reaction.HOLD, (Reaction.DEAD_LETTER, Reaction.RETRY)),
    ErrorCode.MISCONFIGURED: Rule(Reaction.HOLD, (Reaction.DEAD_LETTER, Reaction.RETRY)),
    ErrorCode.INTERNAL: Rule(Reaction.RETRY, (Reaction.DEAD_LETTER,)),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The table with what was chosen otherwise."""

    chosen: Mapping[ErrorCode, Reaction] = field(default_factory=dict)

    def reaction(self, error: ConsumerError) -> Reaction:
        """Return what to do about an error."""
        usual = RULES[error.code].reaction
        is_about_all = isinstance(error, Transient) and not error.is_about_object
        if usual is Reaction.HOLD and is_about_all:
            return usual
        return self.chosen.get(error.code, usual)


def read_policy(text: str) -> Policy:
    """Read `object_missing=retry,access_denied=dead_letter`.

    Raises:
        ValueError: a code or reaction that does not exist or cannot be chosen, or a code twice.
    """
    chosen: dict[ErrorCode, Reaction] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        code, reaction = _read_entry(entry)
        if code in chosen:
            raise ValueError(f"{code} is given twice")
        chosen[code] = reaction
    return Policy(chosen)


def _read_entry(entry: str) -> tuple[ErrorCode, Reaction]:
    name, _, value = (part.strip() for part in entry.partition("="))
    open_to_choice = {code.value: rule for code, rule in RULES.items() if rule.instead}
    if name not in open_to_choice:
        raise ValueError(
            f"{entry!r}: write code=reaction; the codes that can be chosen for are "
            f"{', '.join(open_to_choice)}"
        )
    rule = open_to_choice[name]
    if value not in (rule.reaction, *rule.instead):
        raise ValueError(f"{entry!r}: choose {', '.join((rule.reaction, *rule.instead))}")
    return ErrorCode(name), Reaction(value)
