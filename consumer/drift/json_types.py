"""Which JSON types each contract field naturally comes as, and which contract lies inside it.

Narrower than what validation accepts: a quoted number is accepted, and told as drift.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_origin

from schemas.columns import field_types, record_type
from schemas.fields import (
    BusinessDate,
    Flag,
    Int64,
    LocalTime,
    Number,
    Record,
    RecordId,
    ScalarText,
    StoreId,
    Text,
    UtcTime,
)
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Tax
from schemas.registry import CHECKS_FIELD, STORE_DAY_LISTS, Source
from schemas.root_fields import RootFields

ROOT_LEVEL = ""
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
_OBJECT, _LIST = frozenset({"object"}), frozenset({"list"})
_ANNOTATED: dict[Any, frozenset[str]] = {
    Int64: _NUMBER,
    Number: _NUMBER,
    Text: _TEXT,
    StoreId: _TEXT,
    ScalarText: frozenset({"text", "number", "boolean"}),
    RecordId: frozenset({"text", "number", "boolean"}),
    Flag: frozenset({"boolean"}),
    UtcTime: _TEXT,
    LocalTime: _TEXT,
    BusinessDate: _TEXT,
}


@dataclass(frozen=True, slots=True)
class Contract:
    """What one level's objects hold.

    `native` gives the JSON types of every field, `inner` the contract of the records inside a
    structure, which no scalar has.
    """

    native: Mapping[str, frozenset[str]]
    inner: Mapping[str, type[Record]]


def contract_at(source: Source, level: str) -> Contract:
    """Return the contract of a level: of the document's root, its records or what is in them."""
    if level == ROOT_LEVEL:
        return _ROOTS[source]
    return _CHECK_CONTRACTS[level] if source.holds_checks else _LIST_CONTRACTS[source]


def field_paths(source: Source) -> frozenset[str]:
    """Return the dotted path of every field that a source's contracts name."""
    inside = (
        _CHECK_CONTRACTS
        if source.holds_checks
        else {source.entry.list_field: _LIST_CONTRACTS[source]}
    )
    levels = {ROOT_LEVEL: _ROOTS[source], **inside}
    return frozenset(path_at(level, name) for level in levels for name in levels[level].native)


def json_type(value: Any) -> str:
    """Return the JSON type of a decoded value that is not null."""
    return JSON_TYPES.get(type(value), "object")


def path_at(level: str, name: str) -> str:
    """Return a field's dotted path."""
    return f"{level}.{name}" if level else name


def detail_model(name: str) -> type[Record]:
    """Return the contract of a detail line's sub-object."""
    model = record_type(field_types(DetailLine)[name])
    if model is None:
        raise KeyError(name)
    return model


def _native(hint: Any) -> frozenset[str]:
    if hint in _ANNOTATED:
        return _ANNOTATED[hint]
    return _LIST if get_origin(hint) is list else _OBJECT


def _contract(model: type[Record]) -> Contract:
    types = field_types(model)
    inner = {name: record for name, hint in types.items() if (record := record_type(hint))}
    return Contract({name: _native(hint) for name, hint in types.items()}, inner)


def _root_contract(source: Source) -> Contract:
    root, entry = _contract(RootFields), source.entry
    return Contract({**root.native, entry.list_field: _LIST}, {entry.list_field: entry.model})


_CHECK_CONTRACTS: dict[str, Contract] = {
    CHECKS_FIELD: _contract(GuestCheck),
    TAXES_LEVEL: _contract(Tax),
    LINES_LEVEL: _contract(DetailLine),
    **{DETAIL_LEVELS[name]: _contract(detail_model(name)) for name in LINE_TYPES},
}
_LIST_CONTRACTS: dict[Source, Contract] = {
    source: _contract(source.entry.model) for source in STORE_DAY_LISTS
}
_ROOTS: dict[Source, Contract] = {source: _root_contract(source) for source in Source}
