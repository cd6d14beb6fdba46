"""How two states of a row differ, column by column, as a reader is told."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from consumer.rows.copy_text import json_text


def changed_columns(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Give each column whose value differs, with both values; one that is not there counts as null.

    A row that is not there at all is an empty one.
    """
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name), after.get(name)
        if was != now:
            yield name, was, now


def shown(value: Any) -> str | None:
    """Write a column's value as a reader expects it, its digits kept."""
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, Decimal) else json_text(value)
