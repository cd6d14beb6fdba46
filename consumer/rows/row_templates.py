"""How the plain records of one shape are written as COPY text: by one format string.

What needs no conversion is written as it was sent; `documents.plain_shapes` says what that is.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from consumer.documents.plain_shapes import (
    PlainShape,
    are_dates,
    are_times,
    fit_64_bits,
    plain_shape,
)
from consumer.drift.shapes import ShapeKey
from consumer.rows.copy_text import EXPONENT, NULL, escape, json_cell
from consumer.rows.fields import Fields
from schemas.guest_checks import LINE_TYPES

_MAX_SHAPES = 2000  # of all documents; hostile ones of 200 fields each take 40 MB

Values = Callable[[dict[str, Any]], tuple[Any, ...]]


class NotPlain(Exception):
    """A record is for its contract to judge."""


class RowShape:
    """Writes records of one shape.

    `detail` is the field with a detail line's sub-object, `unknown` are those that the contract
    does not name.
    """

    def __init__(self, fields: Fields, shape: PlainShape) -> None:
        nothing = fields.cells(dict.fromkeys(shape.null))
        cells = [
            "%s" if name in shape.filled else cell
            for name, cell in zip(fields.columns, nothing, strict=True)
        ]
        self.detail = next((name for name in LINE_TYPES if name in shape.filled), None)
        self.unknown = shape.unknown
        self._template = "\t".join(cells)
        self._values = _values([name for name in fields.names if name in shape.filled])
        self._tabs, self._backslashes = len(cells) - 1, self._template.count("\\")
        self._has_text = shape.has_text
        looks = ((fit_64_bits, shape.integers), (are_times, shape.times), (are_dates, shape.dates))
        self._looks = [(are_good, _values(names)) for are_good, names in looks if names]

    def cells(self, record: dict[str, Any]) -> str:
        """Return a record's cells.

        Raises:
            NotPlain: by a value.
        """
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
def row_shape(fields: Fields, shape: ShapeKey) -> RowShape | None:
    """Return how records of a shape are written, or None if they are not plain."""
    plain = plain_shape(fields.model, shape)
    if plain is None or len(plain.filled & LINE_TYPES.keys()) > 1:
        return None
    return RowShape(fields, plain)


def _values(names: Sequence[str]) -> Values:
    """Return a function that gives a record's values of some fields as a tuple."""
    if not names:
        return lambda _: ()
    if len(names) == 1:
        [name] = names
        return lambda record: (record[name],)
    return itemgetter(*names)


def _escaped(value: Any) -> Any:
    return escape(value) if type(value) is str else value
