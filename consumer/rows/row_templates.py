"""How the plain records of one shape are written as COPY text: by one format string.

Plain is what was sent as the contract would make it: nearly all records are. That depends on the
shape, decided once for each, and on few values: integers must fit, times and dates exist.
"""

from array import array
from collections.abc import Callable, Iterable
from datetime import date
from functools import cache, lru_cache
from itertools import product
from operator import itemgetter
from typing import Any

from consumer.drift import shapes
from consumer.drift.json_types import native_types
from consumer.rows.copy_text import EXPONENT, NULL, escape, json_cell
from consumer.rows.fields import Fields
from schemas.columns import field_types
from schemas.fields import BusinessDate, Flag, Int64, LocalTime, Record, UtcTime
from schemas.guest_checks import LINE_TYPES

_MAX_KNOWN_DAYS = 10_000
_DAY_CHARACTERS = len("2024-01-31")
_MAX_SHAPES = 2000  # of all documents; hostile ones of 200 fields each take 40 MB

Kinds = dict[str, str | None]  # JSON types by field
Values = Callable[[dict[str, Any]], tuple[Any, ...]]

_TIMES = (UtcTime, LocalTime, BusinessDate)


class NotPlain(Exception):
    """A record is for its contract to judge."""


def _fit_64_bits(numbers: tuple[Any, ...]) -> bool:
    """Say whether all of these are integers, none of them written as 5.0, of at most 64 bits."""
    try:
        array("q", numbers)
    except (OverflowError, TypeError):
        return False
    return True


# Days that were found good, so that each is looked at once: documents are full of the same ones.
_known_days: set[str] = set()


def _are_dates(texts: tuple[str, ...]) -> bool:
    """Say whether all are as ISO 8601 writes days, and exist."""
    return _known_days.issuperset(texts) or all(map(_is_day, texts))


def _are_times(texts: tuple[str, ...]) -> bool:
    """Say whether all are as ISO 8601 writes times without a zone, to the second, and exist."""
    clocks, days = _clocks(), _known_days
    for text in texts:
        day = text[:_DAY_CHARACTERS]
        if text[_DAY_CHARACTERS:] not in clocks or not (day in days or _is_day(day)):
            return False
    return True


@cache
def _clocks() -> frozenset[str]:
    """Return the ends of all times of a day: 86,400 texts, 9 MB, faster than any look at one."""
    pairs = [f"{number:02}" for number in range(60)]
    return frozenset(
        f"T{hour}:{minute}:{second}" for hour, minute, second in product(pairs[:24], pairs, pairs)
    )


def _is_day(text: str) -> bool:
    try:
        is_good = date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
    if is_good:
        if len(_known_days) >= _MAX_KNOWN_DAYS:
            _known_days.clear()
        _known_days.add(text)
    return is_good


# What is looked at in the values of which types
_LOOKS = (
    (_fit_64_bits, (Int64,)),
    (_are_times, (UtcTime, LocalTime)),
    (_are_dates, (BusinessDate,)),
)


class RowTemplate:
    """Writes records of one shape: of the fields `sent`, `filled` are known and not null.

    `detail` is the field with a detail line's sub-object, `unknown` are those that the contract
    does not name.
    """

    def __init__(self, fields: Fields, sent: Kinds, filled: Kinds) -> None:
        known = fields.model.model_fields
        nothing = fields.cells({name: None for name in sent if name in known})
        cells = [
            "%s" if name in filled else cell
            for name, cell in zip(fields.columns, nothing, strict=True)
        ]
        self.detail = next((name for name in LINE_TYPES if name in filled), None)
        self.unknown = tuple(name for name in sent if name not in known)
        self._template = "\t".join(cells)
        self._values = _values(name for name in fields.names if name in filled)
        self._tabs, self._backslashes = len(cells) - 1, self._template.count("\\")
        types = field_types(fields.model)
        looks = [
            (are_good, [name for name in filled if types[name] in hints])
            for are_good, hints in _LOOKS
        ]
        self._looks = [(are_good, _values(names)) for are_good, names in looks if names]
        self._has_text = any(
            kind == "text" and types[name] not in _TIMES for name, kind in filled.items()
        )

    def cells(self, record: dict[str, Any]) -> str:
        """Return a record's cells; raises NotPlain by a value."""
        for are_good, looked_at in self._looks:
            if not are_good(looked_at(record)):
                raise NotPlain
        values = self._values(record)
        text = self._template % values
        if "E" in text and EXPONENT.search(text):
            raise NotPlain
        if self._has_text and (
            text.count("\t") != self._tabs
            or text.count("\\") != self._backslashes
            or "\n" in text
            or "\r" in text
        ):
            text = self._template % tuple(map(_escaped, values))
        return text

    def row(self, record: dict[str, Any]) -> str:
        """Return a record's cells and its extra as the end of a line."""
        return f"{self.cells(record)}\t{self.extra_cell(record)}\n"

    def extra_cell(self, record: dict[str, Any]) -> str:
        """Return the cell of the fields that the contract does not name."""
        if not self.unknown:
            return NULL
        return json_cell({name: record[name] for name in self.unknown})


@lru_cache(_MAX_SHAPES)
def row_template(fields: Fields, shape: shapes.ShapeKey) -> RowTemplate | None:
    """Return how records of a shape are written, or None if they are not plain."""
    sent, known = dict(shapes.fields_of(shape)), fields.model.model_fields
    filled = {name: kind for name, kind in sent.items() if name in known and kind != shapes.NULL}
    if not _is_plain(fields.model, filled) or len(filled.keys() & LINE_TYPES.keys()) > 1:
        return None
    return RowTemplate(fields, sent, filled)


def _is_plain(model: type[Record], filled: Kinds) -> bool:
    """Say whether no field has to be converted, or refused, by its JSON type."""
    types = field_types(model)
    return all(
        # As text to a contract, true is "true": that is a conversion.
        kind in native_types(types[name]) and (kind != "boolean" or types[name] == Flag)
        for name, kind in filled.items()
    ) and all(name in filled for name, field in model.model_fields.items() if field.is_required())


def _values(names: Iterable[str]) -> Values:
    """Return a function that gives a record's values of some fields as a tuple."""
    match tuple(names):
        case ():
            return lambda _: ()
        case (name,):
            return lambda record: (record[name],)
        case several:
            return itemgetter(*several)


def _escaped(value: Any) -> Any:
    return escape(value) if type(value) is str else value
