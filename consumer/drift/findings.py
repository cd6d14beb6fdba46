"""Drift: where documents and contracts have come apart.

While reading, only shapes are counted; fields are looked at once per shape. A finding is what one
document shows by itself. That a field is missing, or comes under another name, is seen only
beside other documents: for that it is counted which fields came filled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from consumer.drift.json_types import LINES_LEVEL, ROOT_LEVEL, contracts
from consumer.drift.renames import remedy, scalars_for, structure_for
from consumer.drift.shapes import (
    MAX_NAME_CHARACTERS,
    MAX_NAMES,
    NULL,
    Level,
    Shape,
    Shapes,
)
from schemas.guest_checks import LINE_TYPES
from schemas.registry import CHECKS_FIELD, Source

UNKNOWN, MISSING, RENAMED, RETYPED = "unknown", "missing", "suspected_rename", "retyped"
DUPLICATE, LINE_TYPE, FUTURE = "duplicate", "line_type", "future_version"

_STRUCTURES = frozenset({"object", "list"})
_MAX_FINDINGS = 200  # of one document: a hostile one must not fill the table
_MAX_COMPARED = 100  # names of one level of one document: comparing takes time
_VERSION_FIELD = "lastUpdatedUTC"

# By path and kind: how often, and the details
_Findings = dict[tuple[str, str], tuple[int, set[str]]]

# What documents of any content can have only so many of comes first, if there is too much.
_ORDER = (FUTURE, RETYPED, LINE_TYPE, DUPLICATE, RENAMED, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of drift at one path of a source, and how often a document shows it.

    The path passes through lists. `detail` is the JSON type that came or was expected, or the
    line that mends a rename.
    """

    path: str
    kind: str
    occurrences: int
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """What one document says of its source.

    `record_counts` are the objects at each level, open and partial checks left out;
    `field_counts` are how many of those filled a field, by path. A field that none filled has no
    count. Unknown fields are counted if they may be the new names of known scalars.
    """

    findings: tuple[Finding, ...] = ()
    record_counts: Mapping[str, int] = field(default_factory=dict)
    field_counts: Mapping[str, int] = field(default_factory=dict)


def find_drift(source: Source, shapes: Shapes) -> Drift:
    """Compare a document's shapes with the contracts; tells at most two hundred findings."""
    findings: _Findings = {(path, DUPLICATE): (n, set()) for path, n in shapes.duplicates.items()}
    findings |= {(path, FUTURE): (n, set()) for path, n in shapes.future.items()}
    record_counts: dict[str, int] = {}
    field_counts: dict[str, int] = {}
    for level in shapes.levels():
        comparison = _Comparison(source, level, findings)
        comparison.find_unknown_and_retyped()
        comparison.find_odd_lines()
        comparison.find_renamed_structures()
        if records := comparison.count_fields(field_counts):
            record_counts[level.path] = records
    found = [
        Finding(path, kind, count, " or ".join(sorted(details)) or None)
        for (path, kind), (count, details) in findings.items()
        if count
    ]
    found.sort(key=lambda finding: (_ORDER.index(finding.kind), -finding.occurrences))
    return Drift(tuple(found[:_MAX_FINDINGS]), record_counts, field_counts)


def find_root_drift(source: Source, root: dict[str, Any]) -> Drift:
    """Compare only a document's root: of one that is refused for it, no more is read."""
    shapes = Shapes()
    shapes.count(ROOT_LEVEL, root)
    return find_drift(source, shapes)


class _Comparison:
    """One level of one document against its contract."""

    def __init__(self, source: Source, level: Level, findings: _Findings) -> None:
        self._source = source
        self._level = level
        self._contract = contracts(source)[level.path]
        self._native = self._contract.native
        self._findings = findings
        self._scalars: dict[tuple[str, str], tuple[str, ...]] = {}

    def _add(self, path: str, kind: str, count: int, detail: str | None = None) -> None:
        known = self._findings.get((path, kind))
        if known is None and kind == UNKNOWN and len(self._findings) >= MAX_NAMES:
            return
        before, details = known or (0, set())
        self._findings[path, kind] = before + count, details | ({detail} if detail else set())

    def find_unknown_and_retyped(self) -> None:
        level = self._level
        for (name, kind), count in _fields(level.shapes).items():
            if name not in self._native:
                self._add(level.path_of(name), UNKNOWN, count, None if kind == NULL else kind)
            elif kind != NULL and kind not in self._native[name]:
                expected = " or ".join(sorted(self._native[name]))
                self._add(level.path_of(name), RETYPED, count, f"expected {expected}")

    def find_odd_lines(self) -> None:
        """Tell lines with two sub-objects or none."""
        for shape in self._level.shapes if self._level.path == LINES_LEVEL else ():
            if sum(shape.example.get(name) is not None for name in LINE_TYPES) != 1:
                self._add(LINES_LEVEL, LINE_TYPE, shape.count)

    def find_renamed_structures(self) -> None:
        level = self._level
        unknown = (
            (shape, name)
            for shape in level.shapes
            if not self._native.keys() >= shape.fields.keys()
            for name, kind in shape.fields.items()
            if kind in _STRUCTURES and name not in self._native and len(name) <= MAX_NAME_CHARACTERS
        )
        for shape, name in islice(unknown, MAX_NAMES):
            known = structure_for(self._contract, shape.example, shape.example[name])
            if known is not None:
                line = remedy(self._source, level.path, name, known)
                self._add(level.path_of(name), RENAMED, shape.count, line)

    def count_fields(self, field_counts: dict[str, int]) -> int:
        """Count how often known fields, and what may be their new names, were filled.

        Returns:
            The objects that were looked at.
        """
        shapes = self._level.whole + self._renamed_version()
        for (name, kind), count in _fields(shapes).items():
            if kind == NULL or kind is None:
                continue
            # A line has one of its sub-objects, and does not miss the others.
            is_known = name in self._native and name not in LINE_TYPES
            if is_known or (name not in self._native and self._stands_for(name, kind)):
                path = self._level.path_of(name)
                field_counts[path] = field_counts.get(path, 0) + count
        return sum(shape.count for shape in shapes)

    def _stands_for(self, unknown: str, kind: str) -> tuple[str, ...]:
        """Return the known scalars that an unknown one may be, for the first hundred of them."""
        found = self._scalars.get((unknown, kind))
        if found is None:
            # A dot in a name would make it a path of another level.
            is_path = "." in unknown or len(unknown) > MAX_NAME_CHARACTERS
            if is_path or kind in _STRUCTURES or len(self._scalars) >= _MAX_COMPARED:
                return ()
            found = scalars_for(self._source, self._level.path, unknown, kind)
            self._scalars[unknown, kind] = found
        return found

    def _renamed_version(self) -> list[Shape]:
        """Return checks that seem partial because their version has another name."""
        if self._level.path != CHECKS_FIELD:
            return []
        return [
            shape
            for shape in self._level.partial
            if _VERSION_FIELD not in shape.fields
            and any(
                _VERSION_FIELD in self._stands_for(name, "text")
                for name in islice(shape.fields, MAX_NAMES)
                if name not in self._native
            )
        ]


def _fields(shapes: list[Shape]) -> dict[tuple[str, str | None], int]:
    """Count how often each name came with each JSON type."""
    counts: dict[tuple[str, str | None], int] = {}
    for shape in shapes:
        count = shape.count
        for name_and_kind in shape.fields.items():
            counts[name_and_kind] = counts.get(name_and_kind, 0) + count
    return counts
