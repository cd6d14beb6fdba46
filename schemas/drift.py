"""Drift: where documents and contracts have come apart.

While reading, only shapes of records are counted; fields are looked at once per shape. What is
usual for a source is learned from its documents, so a field that stops coming, or comes under
another name, stands out.
"""

import json
from collections import Counter
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Protocol

from schemas.guest_checks import LINE_TYPES, Record
from schemas.json_types import (
    JSON_TYPES,
    LINES_LEVEL,
    inner_model,
    model_at,
    native_types,
)
from schemas.shapes import MAX_NAME_CHARACTERS, MAX_NAMES, Level, Presence, Shapes
from schemas.sources import Source

UNKNOWN, MISSING, RENAMED, RETYPED = "unknown", "missing", "suspected_rename", "retyped"
DUPLICATE, LINE_TYPE = "duplicate", "line_type"

_MAX_FINDINGS = 200  # of one document: a hostile one must not fill the table
_SIMILAR = 0.5

# What documents of any content can have only so many of comes first, if there is too much.
_ORDER = (MISSING, RETYPED, LINE_TYPE, DUPLICATE, RENAMED, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of drift at one path of a source; the path passes through lists."""

    path: str
    kind: str
    detail: str | None = None


class Usual(Protocol):
    """What the documents of a source usually hold."""

    def always_filled(self, source: Source, path: str) -> bool:
        """Say whether every record so far, and enough of them, filled the field."""

    def known_fields(self, source: Source, level: str) -> Collection[str]:
        """Return the paths of all fields that any record so far filled at a level."""


def find_drift(
    source: Source, shapes: Shapes, usual: Usual
) -> tuple[Counter[Finding], list[Presence]]:
    """Compare a document's shapes with the contracts and with what is usual.

    Returns:
        How often each finding occurred, at most two hundred of them, and which fields the
        document's records filled, to be learned as usual.
    """
    findings: Counter[Finding] = Counter()
    presences: list[Presence] = []
    for level in shapes.levels():
        comparison = _Comparison(source, level, usual, findings)
        comparison.find_unknown_and_retyped()
        present = level.presences(native_types(model_at(source, level.path)))
        missing = comparison.find_missing(present)
        comparison.find_renamed()
        presences += present + comparison.empty(present, missing)
    chosen = sorted(findings.items(), key=lambda item: (_ORDER.index(item[0].kind), -item[1]))
    return Counter(dict(chosen[:_MAX_FINDINGS])), presences


class _Comparison:
    """One level of one document against its contract."""

    def __init__(
        self, source: Source, level: Level, usual: Usual, findings: Counter[Finding]
    ) -> None:
        self._source = source
        self._level = level
        self._model = model_at(source, level.path)
        self._native = native_types(self._model)
        # A line has one of its sub-objects, and does not miss the others.
        self._expected = self._native.keys() - LINE_TYPES.keys()
        self._usual = usual
        self._findings = findings

    def _path(self, name: str) -> str:
        return self._level.path_of(name)

    def _add(self, finding: Finding, count: int) -> None:
        few = len(self._findings) < MAX_NAMES or finding.kind != UNKNOWN
        if few or finding in self._findings:
            self._findings[finding] += count

    def find_unknown_and_retyped(self) -> None:
        for count, example in self._level.examples:
            for name, value in example.items():
                if name not in self._native:
                    self._add(Finding(self._path(name), UNKNOWN), count)
                elif value is not None and JSON_TYPES[type(value)] not in self._native[name]:
                    self._add(Finding(self._path(name), RETYPED, self._retyped(name)), count)
            if self._level.path == LINES_LEVEL and _detail_count(example) != 1:
                self._add(Finding(LINES_LEVEL, LINE_TYPE), count)

    def _retyped(self, name: str) -> str:
        return f"expected {' or '.join(sorted(self._native[name]))}"

    def find_missing(self, present: list[Presence]) -> set[str]:
        filled = {presence.path for presence in present}
        missing = {
            path
            for path in map(self._path, self._expected if filled else ())
            if path not in filled and self._usual.always_filled(self._source, path)
        }
        for path in missing:
            self._add(Finding(path, MISSING), present[0].records)
        return missing

    def empty(self, present: list[Presence], missing: set[str]) -> list[Presence]:
        """Count fields that nobody filled, but not the missing: they stay usual until back."""
        filled = {presence.path for presence in present}
        known = self._usual.known_fields(self._source, self._level.path) if present else ()
        return [
            Presence(path, 0, present[0].records)
            for path in known
            if path not in filled and path not in missing
        ]

    def find_renamed(self) -> None:
        """Pair unknown fields with known ones that are not there and have the same shape."""
        unknown = (
            (name, value, count, example)
            for count, example in self._level.examples
            for name, value in example.items()
            if name not in self._native and value is not None and len(name) <= MAX_NAME_CHARACTERS
        )
        for name, value, count, example in islice(unknown, MAX_NAMES):
            known = self._known_as(name, value, example)
            if known is not None:
                self._add(Finding(self._path(name), RENAMED, self._remedy(name, known)), count)

    def _known_as(self, unknown: str, value: Any, example: dict[str, Any]) -> str | None:
        candidates = [
            name
            for name in self._native
            if example.get(name) is None
            and _same_shape(self._model, name, value)
            and self._is_plausible(name, unknown)
        ]
        return max(
            candidates,
            key=lambda name: (_in_common(self._model, name, value), _similarity(name, unknown)),
            default=None,
        )

    def _is_plausible(self, name: str, unknown: str) -> bool:
        """A structure speaks for itself; a scalar is new, has a like name and fills a gap."""
        if inner_model(self._model, name) is not None:
            return True
        return (
            _similarity(name, unknown) >= _SIMILAR
            and self._usual.always_filled(self._source, self._path(name))
            and not self._usual.always_filled(self._source, self._path(unknown))
        )

    def _remedy(self, unknown: str, known: str) -> str:
        section = Source.GUEST_CHECKS if self._source.holds_checks else self._source
        path = self._level.path_of(known)
        return f"add to the alias file: [{section}] {_toml(path)} = [{_toml(unknown)}]"


def _toml(text: str) -> str:
    """Write a basic string; JSON's escapes are TOML's too, which forbids one character more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _detail_count(line: dict[str, Any]) -> int:
    return sum(line.get(name) is not None for name in LINE_TYPES)


def _same_shape(model: type[Record], name: str, value: Any) -> bool:
    """Say whether a value could be a known field's: its JSON type, and half of its fields."""
    if JSON_TYPES[type(value)] not in native_types(model)[name]:
        return False
    if inner_model(model, name) is None:
        return True
    fields = _fields(value)
    return bool(fields) and 2 * _in_common(model, name, value) >= len(fields)


def _in_common(model: type[Record], name: str, value: Any) -> int:
    """Count the fields that a structure shares with a known one's contract."""
    inner = inner_model(model, name)
    return len(_fields(value) & inner.model_fields.keys()) if inner else 0


def _fields(value: Any) -> AbstractSet[str]:
    example = value[0] if isinstance(value, list) and value else value
    return example.keys() if isinstance(example, dict) else frozenset()


def _similarity(name: str, other: str) -> float:
    return SequenceMatcher(None, name.lower(), other.lower()).ratio()
