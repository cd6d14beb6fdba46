"""Which JSON types each contract field naturally comes as, and which contract lies inside it.

Narrower than what validation accepts: a quoted number is accepted, and told as drift.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_type_hints

from schemas.fields import BusinessDate, Flag, Int64, Number, RecordId, ScalarText, Text, Timestamp
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Record, Tax
from schemas.sources import Source
from schemas.store_days import CHECKS_FIELD, STORE_DAY_LISTS

TAXES_LEVEL, LINES_LEVEL = f"{CHECKS_FIELD}.taxes", f"{CHECKS_FIELD}.detailLines"
DETAIL_LEVELS = {name: f"{LINES_LEVEL}.{name}" for name in LINE_TYPES}

JSON_TYPES: dict[type, str] = {
    str: "text",
    int: "number",
    Decimal: "number",
    bool: "boolean",
    dict: "object",
    list: "list",
}
_NUMBER, _TEXT = frozenset({"number"}), frozenset({"text"})
_ANNOTATED: dict[Any, frozenset[str]] = {
    Int64: _NUMBER,
    Number: _NUMBER,
    Text: _TEXT,
    ScalarText: frozenset({"text", "number", "boolean"}),
    RecordId: frozenset({"text", "number", "boolean"}),
    Flag: frozenset({"boolean"}),
    Timestamp: _TEXT,
    BusinessDate: _TEXT,
}


def model_at(source: Source, level: str) -> type[Record]:
    """Return the contract of a level's records."""
    return _CHECK_MODELS[level] if source.holds_checks else STORE_DAY_LISTS[source].model


def native_types(model: type[Record]) -> Mapping[str, frozenset[str]]:
    """Return the JSON types that each field of a contract naturally comes as."""
    return _NATIVE_TYPES[model]


def inner_model(model: type[Record], field: str) -> type[Record] | None:
    """Return the contract of the records inside a field, or None for a scalar."""
    return _INNER_MODELS.get((model, field))


def detail_model(name: str) -> type[Record]:
    """Return the contract of a detail line's sub-object."""
    return _DETAIL_MODELS[name]


def _choices(model: type[Record], field: str) -> list[Any]:
    hint = get_type_hints(model, include_extras=True)[field]
    if hint in _ANNOTATED:
        return [hint]
    return [choice for choice in get_args(hint) if choice is not NoneType]


def _native(model: type[Record], field: str) -> frozenset[str]:
    [choice] = _choices(model, field)
    if choice in _ANNOTATED:
        return _ANNOTATED[choice]
    return frozenset({"list" if get_args(choice) else "object"})


_DETAIL_MODELS: dict[str, type[Record]] = {
    name: _choices(DetailLine, name)[0] for name in LINE_TYPES
}
_CHECK_MODELS: dict[str, type[Record]] = {
    CHECKS_FIELD: GuestCheck,
    TAXES_LEVEL: Tax,
    LINES_LEVEL: DetailLine,
    **{DETAIL_LEVELS[name]: model for name, model in _DETAIL_MODELS.items()},
}
_INNER_MODELS: dict[tuple[type[Record], str], type[Record]] = {
    (GuestCheck, "taxes"): Tax,
    (GuestCheck, "detailLines"): DetailLine,
    **{(DetailLine, name): model for name, model in _DETAIL_MODELS.items()},
}
_NATIVE_TYPES: dict[type[Record], Mapping[str, frozenset[str]]] = {
    model: {field: _native(model, field) for field in model.model_fields}
    for model in (
        *_CHECK_MODELS.values(),
        *(shape.model for shape in STORE_DAY_LISTS.values()),
    )
}
