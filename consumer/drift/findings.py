"""Drift: where documents and contracts have come apart.

A finding is what one document shows by itself. That a field is missing, or comes under another
name, is seen only beside other documents: for that it is counted which fields came filled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Self

from consumer.drift.json_types import LINES_LEVEL, ROOT_LEVEL, Contract, contracts
from consumer.drift.renames import remedy, scalars_for, structure_for
from consumer.drift.shapes import MAX_NAME_CHARACTERS, MAX_NAMES, NULL, Level, Shape, Shapes
from schemas.guest_checks import LINE_TYPES
from schemas.registry import CHECKS_FIELD, Source

UNKNOWN, MISSING, RENAMED, RETYPED = "unknown", "missing", "suspected_rename", "retyped"
DUPLICATE, LINE_TYPE, FUTURE = "duplicate", "line_type", "future_version"

_STRUCTURES = frozenset({"object", "list"})
_MAX_FINDINGS = 200  # of one document: a hostile one must not fill the table
_MAX_COMPARED = 100  # names of one level of one document: comparing takes time
_VERSION_FIELD = "lastUpdatedUTC"

_KnownScalars = dict[tuple[str, str | None], tuple[str, ...]]  # by unknown name and JSON type

# What documents of any content can have only so many of comes first, if there is too much.
_ORDER = (FUTURE, RETYPED, LINE_TYPE, DUPLICATE, RENAMED, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of drift at one path of a source, and how often a document shows it.

    `detail` is the JSON type that came or was expected, or the line that mends a rename.
    """

    path: str
    kind: str
    occurrences: int
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """What one document says of its source.

    `record_counts` are the objects at each level, open and partial checks left out;
    `field_counts` are how many of those filled a field, by path, if any did.
    """

    findings: tuple[Finding, ...] = ()
    record_counts: Mapping[str, int] = field(default_factory=dict)
    field_counts: Mapping[str, int] = field(default_factory=dict)

    def of_records(self) -> Self:
        """Return it without the counts of the root: they are to be added to those of a document."""
        records = {level: n for level, n in self.record_counts.items() if level != ROOT_LEVEL}
        fields = {path: n for path, n in self.field_counts.items() if "." in path}
        return replace(self, record_counts=records, field_counts=fields)


def find_drift(source: Source, shapes: Shapes) -> Drift:
    """Compare a document's shapes with the contracts; tells at most two hundred findings."""
    found = [Finding(path, DUPLICATE, count) for path, count in shapes.duplicates.items()]
    found += [Finding(path, FUTURE, count) for path, count in shapes.future.items()]
    record_counts: dict[str, int] = {}
    field_counts: Counter[str] = Counter()
    for level in shapes.levels():
        contract = contracts(source)[level.path]
        found += _changes(level, contract)
        found += _renamed_structures(source, level, contract)
        may_be = _known_scalars(source, level, contract)
        counted = level.whole + _renamed_versions(level, may_be)
        if records := sum(shape.count for shape in counted):
            record_counts[level.path] = records
        for (name, kind), count in _counts(counted).items():
            # A line has one of its sub-objects, and does not miss the others.
            is_known = name in contract.native and name not in LINE_TYPES
            if kind not in (NULL, None) and (is_known or may_be.get((name, kind))):
                field_counts[level.path_of(name)] += count
    return Drift(_merged(found), record_counts, field_counts)


def find_root_drift(source: Source, root: dict[str, Any]) -> Drift:
    """Compare only a document's root: of one that is refused for it, no more is read."""
    shapes = Shapes()
    shapes.count(ROOT_LEVEL, root)
    return find_drift(source, shapes)


def _changes(level: Level, contract: Contract) -> Iterator[Finding]:
    """Tell unknown fields, retyped ones, and lines with two sub-objects or none."""
    new = 0
    for (name, kind), count in _counts(level.shapes).items():
        native = contract.native.get(name)
        if native is None:
            new += 1
            if new <= MAX_NAMES:
                known_as = None if kind == NULL else kind
                yield Finding(level.path_of(name), UNKNOWN, count, known_as)
        elif kind != NULL and kind not in native:
            expected = f"expected {' or '.join(sorted(native))}"
            yield Finding(level.path_of(name), RETYPED, count, expected)
    for shape in level.shapes if level.path == LINES_LEVEL else ():
        if sum(shape.example.get(name) is not None for name in LINE_TYPES) != 1:
            yield Finding(LINES_LEVEL, LINE_TYPE, shape.count)


def _renamed_structures(source: Source, level: Level, contract: Contract) -> Iterator[Finding]:
    unknown = (
        (shape, name)
        for shape in level.shapes
        for name, kind in shape.fields.items()
        if kind in _STRUCTURES and name not in contract.native and len(name) <= MAX_NAME_CHARACTERS
    )
    likely = [
        (shape, name, known)
        for shape, name in islice(unknown, MAX_NAMES)
        if (known := structure_for(contract, shape.example, shape.example[name])) is not None
    ]
    rivals = Counter((id(shape), known) for shape, _, known in likely)
    for shape, name, known in likely:
        # Of two that may be the known one, a line for either would be a guess.
        if rivals[id(shape), known] == 1:
            line = remedy(source, level.path, name, known)
            yield Finding(level.path_of(name), RENAMED, shape.count, line)


def _known_scalars(source: Source, level: Level, contract: Contract) -> _KnownScalars:
    """Return the known scalars that unknown ones may be, for the first hundred of these."""
    unknown = (
        (name, kind)
        for name, kind in _counts(level.shapes)
        # A dot in a name would make it a path of another level.
        if not (name in contract.native or "." in name or len(name) > MAX_NAME_CHARACTERS)
        if kind is not None and kind != NULL and kind not in _STRUCTURES
    )
    return {
        (name, kind): scalars_for(source, level.path, name, kind)
        for name, kind in islice(unknown, _MAX_COMPARED)
    }


def _renamed_versions(level: Level, may_be: _KnownScalars) -> list[Shape]:
    """Return checks that seem partial because their version has another name."""
    if level.path != CHECKS_FIELD:
        return []
    versions = {name for (name, _), known in may_be.items() if _VERSION_FIELD in known}
    return [
        shape
        for shape in level.partial
        if _VERSION_FIELD not in shape.fields and not versions.isdisjoint(shape.fields)
    ]


def _merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Make one finding of those of one path and kind; those worth most come first."""
    counts: Counter[tuple[str, str]] = Counter()
    details: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for found in findings:
        counts[found.path, found.kind] += found.occurrences
        if found.detail is not None:
            details[found.path, found.kind].add(found.detail)
    merged = [
        Finding(path, kind, count, " or ".join(sorted(details[path, kind])) or None)
        for (path, kind), count in counts.items()
        if count
    ]
    merged.sort(key=lambda finding: (_ORDER.index(finding.kind), -finding.occurrences))
    return tuple(merged[:_MAX_FINDINGS])


def _counts(shapes: list[Shape]) -> Counter[tuple[str, str | None]]:
    """Count how often each name came with each JSON type."""
    counts: Counter[tuple[str, str | None]] = Counter()
    for shape in shapes:
        for name_and_kind in shape.fields.items():
            counts[name_and_kind] += shape.count
    return counts
