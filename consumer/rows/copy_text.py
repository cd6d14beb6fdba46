"""Values in PostgreSQL's COPY text format.

Source: PostgreSQL manual, COPY, "Text Format".
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import simplejson

NULL = "\\N"
# Of a Decimal as text
EXPONENT = re.compile(r"\dE[+-]\d")
_MAX_EXPONENT = 100  # of a number that is kept as one where no contract knows it
# PostgreSQL manual, "Numeric Types": digits before and after the decimal point
_NUMERIC_BEFORE, _NUMERIC_AFTER = 131_072, 16_383
_JSON = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, allow_nan=False)


def escape(text: str) -> str:
    """Escape one text value."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def json_text(value: Any) -> str:
    """Write a decoded JSON value as JSON, every number with the digits it came with.

    A number that is short only as it was sent, such as 1e99999, or that no `numeric` holds, is
    written as text.
    """
    text: str = _JSON.encode(value)
    if ("E" in text and EXPONENT.search(text)) or len(text) > _NUMERIC_AFTER:
        text = _JSON.encode(_with_long_numbers_as_text(value))
    return text


def _with_long_numbers_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_long_numbers_as_text(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_with_long_numbers_as_text(child) for child in value]
    return str(value) if isinstance(value, Decimal) and _is_long(value) else value


def _is_long(number: Decimal) -> bool:
    exponent, size = number.as_tuple().exponent, abs(number.adjusted())
    is_stored = size < _NUMERIC_BEFORE and isinstance(exponent, int) and -exponent <= _NUMERIC_AFTER
    return not is_stored or (size >= _MAX_EXPONENT and "E" in str(number))


def json_cell(value: Any) -> str:
    """Write a JSON value as one cell; an empty one is NULL."""
    return escape(json_text(value)) if value else NULL


# How each type that a contract yields is written.
CELLS: dict[type, Callable[[Any], str]] = {
    type(None): {None: NULL}.__getitem__,
    bool: str,
    int: str,
    str: escape,
    Decimal: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
}


def cells(values: Iterable[Any]) -> list[str]:
    """Write values as cells; KeyError: a value has a type that no contract yields."""
    return [NULL if value is None else CELLS[type(value)](value) for value in values]


def line(row: Iterable[str]) -> str:
    """Join cells to one row."""
    return "\t".join(row) + "\n"
