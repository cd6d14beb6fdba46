"""Values in PostgreSQL's COPY text format.

Source: PostgreSQL manual, COPY, "Text Format". RowWriter are written where documents are validated,
off the event loop, so that loading a batch is sending bytes.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import simplejson

NULL = "\\N"
_JSON = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, allow_nan=False)


def escape(text: str) -> str:
    """Escape one text value."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def json_text(value: Any) -> str:
    """Write a decoded JSON value as JSON, every number with the digits it came with."""
    text: str = _JSON.encode(value)
    return text


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
    """Write values as cells; most fields of a check are absent, and nothing is called for those.

    Raises:
        KeyError: a value has a type that no contract yields.
    """
    return [NULL if value is None else CELLS[type(value)](value) for value in values]


def line(row: Iterable[str]) -> str:
    """Join cells to one row."""
    return "\t".join(row) + "\n"
