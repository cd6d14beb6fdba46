"""Drift: where documents and contracts have come apart.

What is counted while reading is the *shape* of records (field names and JSON types), of which a
source has few; fields are looked at once per shape. What is usual for a source is learned from
its documents, so a field that stops coming, or comes under another name, stands out.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Protocol

from schemas.guest_checks import LINE_TYPES, Record
from schemas.json_types import (
    DETAIL_LEVELS,
    JSON_TYPES,
    LINES_LEVEL,
    TAXES_LEVEL,
    inner_model,
    model_at,
    native_types,
)
from schemas.sources import Source
from schemas.store_days import CHECKS_FIELD

UNKNOWN, MISSING, RENAMED, RETYPED = "unknown", "missing", "suspected_rename", "retyped"
DUPLICATE, LINE_TYPE = "duplicate", "line_type"

_VERSION_FIELD = "lastUpdatedUTC"
_MAX_FINDINGS = 200  # of one document: a hostile one must not fill the table
_MAX_SHAPES = 2000  # of one level of one document: as above, for memory
_MAX_NAMES = 1000  # looked at, of one level of one document: as above, for time
_MAX_NAME_CHARACTERS = 200
_SIMILAR = 0.5

# JSON has one type of number, so an amount without cents makes no shape of its own.
_KIND_OF = {**JSON_TYPES, type(None): "null"}.get


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of drift at one path of a source; the path passes through lists."""

    path: str
    kind: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """How many of one document's records at a level filled a field."""

    path: str
    filled: int
    records: int


class Usual(Protocol):
    """What the documents of a source usually hold."""

    def always_filled(self, source: Source, path: str) -> bool:
        """Say whether every record so far, and enough of them, filled the field."""

    def known_fields(self, source: Source, level: str) -> Collection[str]:
        """Return the paths of all fields that any record so far filled at a level."""


class Shapes:
    """Counts the shapes of one document's records, level by level."""

    def __init__(self) -> None:
        self._levels: dict[str, dict[tuple[Any, ...], list[Any]]] = {}

    def count_check(self, check: dict[str, Any]) -> None:
        """Count a check with its taxes, lines and their sub-objects."""
        self.count(CHECKS_FIELD, check)
        for tax in _dicts(check.get("taxes")):
            self.count(TAXES_LEVEL, tax)
        for line in _dicts(check.get("detailLines")):
            self.count(LINES_LEVEL, line)
            for name, level in DETAIL_LEVELS.items():
                detail = line.get(name)
                if type(detail) is dict:
                    self.count(level, detail)
                    break

    def count(self, level: str, record: dict[str, Any]) -> None:
        """Count one record at a level."""
        shapes = self._levels.get(level)
        if shapes is None:
            shapes = self._levels[level] = {}
        shape = (*record, *map(_KIND_OF, map(type, record.values())))
        known = shapes.get(shape)
        if known is not None:
            known[0] += 1
        elif len(shapes) < _MAX_SHAPES:
            shapes[shape] = [1, _example(record)]

    def levels(self) -> Iterator["Level"]:
        """Yield what was counted at each level."""
        for path, shapes in self._levels.items():
            yield Level(path, [(count, example) for count, example in shapes.values()])


@dataclass(frozen=True, slots=True)
class Level:
    """The records at one level of a document: (count, an example) of each shape."""

    path: str
    examples: list[tuple[int, dict[str, Any]]]

    @property
    def record_count(self) -> int:
        """Records of all shapes."""
        return sum(count for count, _ in self.examples)

    def whole(self) -> "Level":
        """Leave partial checks out: missing fields are what makes them partial."""
        if self.path != CHECKS_FIELD:
            return self
        whole = [(n, example) for n, example in self.examples if example.get(_VERSION_FIELD)]
        return Level(self.path, whole)

    def presences(self, known: Collection[str]) -> list[Presence]:
        """Say of each field how many records fill it: of the known ones, and of some others."""
        filled: Counter[str] = Counter()
        for count, example in self.examples:
            for name, value in example.items():
                few = len(filled) < _MAX_NAMES or name in filled or name in known
                if value is not None and few:
                    filled[name] += count
        total = self.record_count
        return [Presence(self.path_of(name), count, total) for name, count in filled.items()]

    def path_of(self, name: str) -> str:
        """Return a field's path; an endless name is cut, as paths are keys of tables."""
        return f"{self.path}.{name[:_MAX_NAME_CHARACTERS]}"


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
        present = level.whole().presences(native_types(model_at(source, level.path)))
        missing = comparison.find_missing(present)
        comparison.find_renamed()
        presences += present + comparison.empty(present, missing)
    return Counter(dict(findings.most_common(_MAX_FINDINGS))), presences


class _Comparison:
    """One level of one document against its contract."""

    def __init__(
        self, source: Source, level: Level, usual: Usual, findings: Counter[Finding]
    ) -> None:
        self._source = source
        self._level = level
        self._model = model_at(source, level.path)
        self._native = native_types(self._model)
        self._usual = usual
        self._findings = findings

    def _path(self, name: str) -> str:
        return self._level.path_of(name)

    def _add(self, finding: Finding, count: int) -> None:
        if finding in self._findings or len(self._findings) < _MAX_NAMES:
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
            for path in map(self._path, self._native if filled else ())
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
            if name not in self._native and value is not None
        )
        for name, value, count, example in islice(unknown, _MAX_NAMES):
            known = self._known_as(name, value, example)
            if known is not None:
                self._add(Finding(self._path(name), RENAMED, self._remedy(name, known)), count)

    def _known_as(self, unknown: str, value: Any, example: dict[str, Any]) -> str | None:
        candidates = [
            name
            for name in self._native
            if example.get(name) is None
            and _same_shape(self._model, name, value)
            and self._is_plausible(name, unknown[:_MAX_NAME_CHARACTERS])
        ]
        cut = unknown[:_MAX_NAME_CHARACTERS]
        return max(candidates, key=lambda name: _similarity(name, cut), default=None)

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
        path, alias = self._level.path_of(known), unknown[:_MAX_NAME_CHARACTERS]
        return f'add to the alias file: [{section}] "{path}" = ["{alias}"]'


def _example(record: dict[str, Any]) -> dict[str, Any]:
    """Keep a record's fields, and of its lists only the first item: an example must be small."""
    return {name: value[:1] if type(value) is list else value for name, value in record.items()}


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _detail_count(line: dict[str, Any]) -> int:
    return sum(line.get(name) is not None for name in LINE_TYPES)


def _same_shape(model: type[Record], name: str, value: Any) -> bool:
    """Say whether a value could be a known field's: its JSON type, and half of its fields."""
    if JSON_TYPES[type(value)] not in native_types(model)[name]:
        return False
    inner = inner_model(model, name)
    if inner is None:
        return True
    example = value[0] if isinstance(value, list) and value else value
    if not isinstance(example, dict) or not example:
        return False
    return 2 * len(example.keys() & inner.model_fields.keys()) >= len(example)


def _similarity(name: str, other: str) -> float:
    return SequenceMatcher(None, name.lower(), other.lower()).ratio()
