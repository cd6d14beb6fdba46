"""Plain records: what was sent is already what the contract makes of it.

Nearly all records are. Whether one is depends on its shape (which fields it has, of which JSON
types), decided once for each shape, and on few of its values: integers must fit 64 bits, times
and dates must exist. Whatever is not plain is for the contract to judge.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from consumer.drift.json_types import native_types
from consumer.drift.shapes import NULL, ShapeKey, fields_of
from schemas.columns import field_types
from schemas.fields import BusinessDate, Flag, Int64, LocalTime, Record, UtcTime

_TIME_CHARACTERS = len("2024-01-31T13:45:00")  # without fraction and offset
_MAX_KNOWN_TEXTS = 50_000


@dataclass(frozen=True, slots=True)
class PlainShape:
    """What the records of one shape hold.

    `filled` and `null` are the contract's fields that were sent, `unknown` those that it does not
    name. Of a plain record, `fit_64_bits`, `are_times` and `are_dates` hold for the values of the
    others. `has_text`: some value is text that is neither time nor date.
    """

    filled: frozenset[str]
    null: frozenset[str]
    unknown: tuple[str, ...]
    integers: tuple[str, ...]
    times: tuple[str, ...]
    dates: tuple[str, ...]
    has_text: bool


def plain_shape(model: type[Record], shape: ShapeKey) -> PlainShape | None:
    """Return what records of a shape hold, or None if a contract has to convert or refuse them."""
    types, fields = field_types(model), model.model_fields
    sent = dict(fields_of(shape))
    filled = [name for name, kind in sent.items() if name in fields and kind != NULL]
    if any(sent[name] not in _plain_kinds(types[name]) for name in filled):
        return None
    if any(field.is_required() and name not in filled for name, field in fields.items()):
        return None

    def of_type(*hints: Any) -> tuple[str, ...]:
        return tuple(name for name in filled if types[name] in hints)

    times, dates = of_type(UtcTime, LocalTime), of_type(BusinessDate)
    return PlainShape(
        filled=frozenset(filled),
        null=frozenset(sent).intersection(fields).difference(filled),
        unknown=tuple(name for name in sent if name not in fields),
        integers=of_type(Int64),
        times=times,
        dates=dates,
        has_text=any(sent[name] == "text" and name not in times + dates for name in filled),
    )


def _plain_kinds(hint: Any) -> frozenset[str]:
    # As text to a contract, true is "true": that is a conversion.
    return native_types(hint) if hint == Flag else native_types(hint) - {"boolean"}


def fit_64_bits(numbers: tuple[Any, ...]) -> bool:
    """Say whether all of these are integers, none of them written as 5.0, of at most 64 bits."""
    try:
        array("q", numbers)
    except (OverflowError, TypeError):
        return False
    return True


class _KnownTexts:
    """Texts that were found good, so that each is looked at once."""

    def __init__(self, is_good: Callable[[str], bool]) -> None:
        self._is_good = is_good
        self._known: set[str] = set()

    def all_good(self, texts: tuple[str, ...]) -> bool:
        return self._known.issuperset(texts) or all(map(self._look_at, texts))

    def _look_at(self, text: str) -> bool:
        if not self._is_good(text):
            return False
        if len(self._known) >= _MAX_KNOWN_TEXTS:
            self._known.clear()
        self._known.add(text)
        return True


def _is_time(text: str) -> bool:
    if len(text) != _TIME_CHARACTERS:
        return False
    try:
        return datetime.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


# Each takes texts and says whether all are as ISO 8601 writes them, and exist.
are_times = _KnownTexts(_is_time).all_good
are_dates = _KnownTexts(_is_date).all_good
