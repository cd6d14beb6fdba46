"""What JSON can say and PostgreSQL cannot hold truthfully.

Looking for it costs more than validation, so it is done only for documents that gave a reason:
the parser or the bytes.
"""

from decimal import Decimal
from itertools import chain
from typing import Any

from consumer.decoding.showing import cut_short, dotted
from consumer.errors import RecordError
from schemas.codes import ErrorCode

MAX_DEPTH = 201  # what the fast parser takes; the slow one must not take more

Problem = tuple[ErrorCode, RecordError]


class RepeatedKeys(dict[str, Any]):
    """A JSON object that named `repeated` keys more than once with different values."""

    def __init__(self, record: dict[str, Any], repeated: tuple[str, ...]) -> None:
        super().__init__(record)
        self.repeated = repeated

    def copy(self) -> "RepeatedKeys":
        """Return a shallow copy that remembers the same keys."""
        return RepeatedKeys(self, self.repeated)


def object_from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object for a JSON parser, remembering keys whose values contradict each other.

    The last value counts, as most parsers have it; equal values are one value.
    """
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    repeated = tuple(dict.fromkeys(name for name, value in pairs if record[name] != value))
    return RepeatedKeys(record, repeated) if repeated else record


def is_too_deep(value: Any) -> bool:
    """Say whether a decoded JSON value is nested deeper than `MAX_DEPTH` levels."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inside = (item.values() if isinstance(item, dict) else item for item in _structures(level))
        level = list(chain.from_iterable(inside))
    return bool(_structures(level))


def _structures(values: list[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]


def find_unstorable(value: Any) -> Problem | None:
    """Return the first thing in a decoded JSON value that cannot be stored, or None."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while pending:
        location, current = pending.pop()
        if isinstance(current, dict):
            for name, child in current.items():
                if reason := text_problem(name):
                    return _invalid(location, f"a field name holds {reason}", name)
                pending.append(((*location, name), child))
        elif isinstance(current, list):
            pending += (((*location, number), child) for number, child in enumerate(current))
        if problem := _problem_of(current, location):
            return problem
    return None


def _problem_of(value: Any, location: tuple[str | int, ...]) -> Problem | None:
    if isinstance(value, str):
        reason = text_problem(value)
        return _invalid(location, f"text holds {reason}", value) if reason else None
    if isinstance(value, Decimal) and not value.is_finite():
        return _invalid(location, "the number is not finite", value)
    if isinstance(value, RepeatedKeys):
        name = value.repeated[0]
        message = f"the field {name!r} comes more than once, with different values"
        return ErrorCode.AMBIGUOUS_FIELD, RecordError(dotted((*location, name)), message, "")
    return None


def text_problem(text: str) -> str | None:
    """Say why PostgreSQL cannot hold a text, or None."""
    if "\0" in text:
        return "NUL, which no text in PostgreSQL can"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair, which is no character"
    return None


def _invalid(location: tuple[str | int, ...], message: str, value: Any) -> Problem:
    return ErrorCode.SCHEMA_INVALID, RecordError(dotted(location), message, cut_short(value))
