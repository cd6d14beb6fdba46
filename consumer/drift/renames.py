"""Which unknown field may be a known one under a new name, and the line that says so.

A structure speaks for itself: its fields are known. A scalar needs a similar name and the same
JSON type; whether the known one is gone, only many documents tell.
"""

import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from consumer.drift.json_types import Contract, contracts, field_paths, json_type, path_at
from runtime.errors import SettingsInvalid
from schemas.aliases import Aliases, AliasesInvalid, load_aliases
from schemas.registry import Source

_SIMILAR = 0.5
ALIASES_DISAGREE = "consumers of this database read renamed fields by different alias files"
ALIASES_REMEDY = (
    "give all of them the same SCHEMA_ALIASES_FILE, restart them, then `producer publish` what was "
    "loaded meanwhile; during a rollout this passes by itself in ten minutes"
)


def read_aliases(path: str | None) -> Aliases:
    """Read the shipped renames and those of SCHEMA_ALIASES_FILE; SettingsInvalid if it is bad."""
    if path is None:
        return load_aliases()
    try:
        aliases = load_aliases(Path(path).read_text(encoding="utf-8"), path)
        refuse_unknown_paths(aliases, path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"SCHEMA_ALIASES_FILE: cannot read {path}: {error}") from error
    except AliasesInvalid as error:
        raise SettingsInvalid(str(error)) from error
    return aliases


def refuse_unknown_paths(aliases: Aliases, name: str) -> None:
    """Raise AliasesInvalid for a renamed field that no contract names; `name` is the file's."""
    for source, path in aliases.paths():
        if not any(path in field_paths(other) for other, same in aliases.paths() if same == path):
            close = get_close_matches(path, field_paths(source), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise AliasesInvalid(f"{name}: no document of {source} has a field {path!r}{hint}")


def remedy(source: Source, level: str, unknown: str, known: str) -> str:
    """Return the line that lets a field arrive under its new name."""
    path = path_at(level, known)
    return f"add to the alias file: [{_section(source)}] {_toml(path)} = [{_toml(unknown)}]"


def records_remedy(source: Source, path: str) -> str:
    """Return the line that says where a source's records are."""
    return f"add to the alias file: [records] {_section(source)} = [{_toml(path)}]"


def structure_for(contract: Contract, record: dict[str, Any], value: Any) -> str | None:
    """Return the known structure, missing in a record, that an unknown field's value may be.

    Half of its fields must be that structure's, and two or more where it has as many.
    """
    fields = _fields(value)
    if not fields:
        return None
    common = {
        name: len(fields & model.model_fields.keys())
        for name, model in contract.inner.items()
        if record.get(name) is None and json_type(value) in contract.native[name]
    }
    likely = [
        name
        for name, count in common.items()
        if count >= min(2, len(fields)) and 2 * count >= len(fields)
    ]
    return max(likely, key=common.__getitem__, default=None)


@lru_cache(maxsize=4096)
def scalars_for(source: Source, level: str, unknown: str, kind: str) -> tuple[str, ...]:
    """Return the known scalars that an unknown one may be by name and type, the likest first."""
    contract = contracts(source)[level]
    likeness = {
        name: max(_likeness(unknown, other) for other in _names_of(source, level, name))
        for name, kinds in contract.native.items()
        if kind in kinds and name not in contract.inner
    }
    likely = [name for name, likeness_ in likeness.items() if likeness_ >= _SIMILAR]
    return tuple(sorted(likely, key=likeness.__getitem__, reverse=True))


def _names_of(source: Source, level: str, field: str) -> Iterator[str]:
    yield field
    for alias, canonical in load_aliases().at(source, level):
        if canonical == field:
            yield alias


def _likeness(name: str, other: str) -> float:
    matcher = SequenceMatcher(None, name.lower(), other.lower())
    # The quick ratios are upper bounds, and most names are nothing like each other.
    if matcher.real_quick_ratio() < _SIMILAR or matcher.quick_ratio() < _SIMILAR:
        return 0.0
    return matcher.ratio()


def _fields(value: Any) -> AbstractSet[str]:
    example = value[0] if isinstance(value, list) and value else value
    return example.keys() if isinstance(example, dict) else frozenset()


def _section(source: Source) -> Source:
    return Source.GUEST_CHECKS if source.holds_checks else source


def _toml(text: str) -> str:
    """Write a basic string; JSON's escapes are TOML's too, which forbids one character more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
