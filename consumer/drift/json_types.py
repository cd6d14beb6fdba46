"""Which JSON types each contract field naturally comes as, and which contract lies inside it.

Narrower than what validation accepts: a quoted number is accepted, and told as drift.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, get_origin

from schemas.columns import field_types, record_type
from schemas.fields import Record, json_types
from schemas.guest_checks import LINE_TYPES
from schemas.registry import CHECKS_FIELD, RootFields, Source

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
# By the words of JSON Schema
_OF_SCHEMA = {"string": "text", "integer": "number", "number": "number", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Contract:
    """What one level's objects hold: JSON types by field, and contracts by structure."""

    native: Mapping[str, frozenset[str]]
    inner: Mapping[str, type[Record]]


@cache
def contracts(source: Source) -> Mapping[str, Contract]:
    """Return the contract of each level by its dotted path."""
    root, entry = _contract(RootFields), source.entry
    native = {**root.native, entry.list_field: frozenset({"list"})}
    inside = dict(_contracts_inside(entry.list_field, entry.model))
    return {ROOT_LEVEL: Contract(native, {entry.list_field: entry.model}), **inside}


@cache
def field_paths(source: Source) -> frozenset[str]:
    """Return the dotted path of every field that a source's contracts name."""
    levels = contracts(source).items()
    return frozenset(path_at(level, name) for level, contract in levels for name in contract.native)


def native_types(hint: Any) -> frozenset[str]:
    """Return the JSON types that the values of a contract's field naturally come as."""
    if record_type(hint):
        return frozenset({"list" if get_origin(hint) is list else "object"})
    return frozenset(_OF_SCHEMA[name] for name in json_types(hint))


def json_type(value: Any) -> str:
    """Return the JSON type of a decoded value that is not null."""
    return JSON_TYPES.get(type(value), "object")


def path_at(level: str, name: str) -> str:
    """Return a field's dotted path."""
    return f"{level}.{name}" if level else name


def detail_model(name: str) -> type[Record]:
    """Return the contract of a detail line's sub-object."""
    return contracts(Source.GUEST_CHECKS)[LINES_LEVEL].inner[name]


def _contract(model: type[Record]) -> Contract:
    types = field_types(model)
    inner = {name: record for name, hint in types.items() if (record := record_type(hint))}
    return Contract({name: native_types(hint) for name, hint in types.items()}, inner)


def _contracts_inside(level: str, model: type[Record]) -> Iterator[tuple[str, Contract]]:
    contract = _contract(model)
    yield level, contract
    for name, inner in contract.inner.items():
        yield from _contracts_inside(path_at(level, name), inner)
