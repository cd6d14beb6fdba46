"""Which column of its table each field of a contract has: name, PostgreSQL type and comment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from schemas.fields import Record, column_type
from schemas.guest_checks import ErrorCorrect, MenuItem

# Of these the name does not follow from the field's.
_NAMES = {(MenuItem, "miNum"): "menu_item_id", (ErrorCorrect, "type"): "error_correct_type"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `comment` is the field's description in its contract, if it needs one."""

    name: str
    type: str
    comment: str | None = None


@cache
def columns_of(model: type[Record]) -> Mapping[str, Column]:
    """Return the column of each field, but for those that hold records of their own."""
    return {
        name: Column(
            _NAMES.get((model, name), column_name(name)),
            column_type(hint),
            model.model_fields[name].description,
        )
        for name, hint in field_types(model).items()
        if record_type(hint) is None
    }


def amounts_of(model: type[Record]) -> Mapping[str, str]:
    """Return the fields that are numbers, with their columns."""
    columns = columns_of(model).items()
    return {field: column.name for field, column in columns if column.type == "numeric"}


def column_name(field: str) -> str:
    """Write a source field as a column: `lastUpdatedUTC` is `last_updated_utc`."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", field).lower()


@cache
def field_types(model: type[Record]) -> Mapping[str, Any]:
    """Return the type of each field, without the null that it may be."""
    hints = get_type_hints(model, include_extras=True)
    return {
        name: hints[name] if field.is_required() else get_args(hints[name])[0]
        for name, field in model.model_fields.items()
    }


def record_type(hint: Any) -> type[Record] | None:
    """Return the contract of what a field holds: of the record, or of each record in its list."""
    if get_origin(hint) is list:
        [hint] = get_args(hint)
    return hint if isinstance(hint, type) and issubclass(hint, Record) else None
