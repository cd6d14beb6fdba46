"""Which JSON types each contract field naturally comes as, and which contract lies inside it.

Narrower than what validation accepts: a quoted number is accepted, and told as drift.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from schemas.fields import BusinessDate, Flag, Int64, Number, RecordId, ScalarText, Text, Timestamp
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Record, Tax
from schemas.root_fields import RootFields
from schemas.sources import Source
from schemas.store_days import CHECKS_FIELD, STORE_DAY_LISTS, list_field

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
    ScalarText: frozenset({"text", "number", "boolean"}),
    RecordId: frozenset({"text", "number", "boolean"}),
    Flag: frozenset({"boolean"}),
    Timestamp: _TEXT,
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
        _CHECK_CONTRACTS if source.holds_checks else {list_field(source): _LIST_CONTRACTS[source]}
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
    return _DETAIL_MODELS[name]


def _choices(model: type[BaseModel], field: str) -> list[Any]:
    hint = get_type_hints(model, include_extras=True)[field]
    if hint in _ANNOTATED:
        return [hint]
    return [choice for choice in get_args(hint) if choice is not NoneType]


def _native(model: type[BaseModel], field: str) -> frozenset[str]:
    [choice] = _choices(model, field)
    if choice in _ANNOTATED:
        return _ANNOTATED[choice]
    return _LIST if get_args(choice) else _OBJECT


def _contract(
    model: type[BaseModel],
    inner: Mapping[str, type[Record]] | None = None,
    lists: tuple[str, ...] = (),
) -> Contract:
    native = {field: _native(model, field) for field in model.model_fields}
    return Contract(native | dict.fromkeys(lists, _LIST), inner or {})


_DETAIL_MODELS: dict[str, type[Record]] = {
    name: _choices(DetailLine, name)[0] for name in LINE_TYPES
}
_CHECK_CONTRACTS: dict[str, Contract] = {
    CHECKS_FIELD: _contract(GuestCheck, {"taxes": Tax, "detailLines": DetailLine}),
    TAXES_LEVEL: _contract(Tax),
    LINES_LEVEL: _contract(DetailLine, _DETAIL_MODELS),
    **{DETAIL_LEVELS[name]: _contract(model) for name, model in _DETAIL_MODELS.items()},
}
_LIST_CONTRACTS: dict[Source, Contract] = {
    source: _contract(shape.model) for source, shape in STORE_DAY_LISTS.items()
}
_RECORDS: dict[Source, type[Record]] = {
    source: GuestCheck if source.holds_checks else STORE_DAY_LISTS[source].model
    for source in Source
}
_ROOTS: dict[Source, Contract] = {
    source: _contract(RootFields, {list_field(source): model}, (list_field(source),))
    for source, model in _RECORDS.items()
}
