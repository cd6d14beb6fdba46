"""Which shapes the objects of a document have: field names and JSON types, level by level.

A source has few shapes, so documents of any size are described by few counts and examples. Whoever
finds out a record's shape for purposes of its own counts for less: a shape is asked for once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from consumer.drift.json_types import DETAIL_LEVELS, JSON_TYPES, LINES_LEVEL, TAXES_LEVEL, path_at
from schemas.guest_checks import LINE_TYPES
from schemas.registry import CHECKS_FIELD

_MAX_SHAPES = 2000  # of one level of one document: a hostile one must not fill memory
_MAX_GLANCES = 4 * _MAX_SHAPES  # likewise
MAX_NAMES = 1000  # looked at, of one level of one document: as above, for time
MAX_NAME_CHARACTERS = 200
_MAX_EXAMPLE_CHARACTERS = 100  # likewise

# JSON has one type of number, so an amount without cents makes no shape of its own.
NULL = "null"
_KIND_OF = {**JSON_TYPES, type(None): NULL}.get

# Names of fields, and behind them the JSON type of each
ShapeKey = tuple[str | None, ...]


def shape_of(record: dict[str, Any]) -> ShapeKey:
    """Return an object's shape."""
    return (*record, *map(_KIND_OF, map(type, record.values())))


def fields_of(shape: ShapeKey) -> Iterator[tuple[str, str | None]]:
    """Yield the name of each field of a shape with its JSON type."""
    half = len(shape) // 2
    return zip(cast("tuple[str, ...]", shape[:half]), shape[half:], strict=True)


@dataclass(slots=True)
class Shape:
    """How many objects have the same names and JSON types, and one of them."""

    fields: dict[str, str | None]
    example: dict[str, Any]
    count: int = 0


@dataclass(frozen=True, slots=True)
class Level:
    """The shapes at one level of a document, those of unfinished checks apart."""

    path: str
    whole: list[Shape]
    partial: list[Shape]

    @property
    def shapes(self) -> list[Shape]:
        """All of them."""
        return self.whole + self.partial

    def path_of(self, name: str) -> str:
        """Return a field's path; an endless name is cut, as paths are keys of tables."""
        return path_at(self.path, name[:MAX_NAME_CHARACTERS])


def is_whole(check: dict[str, Any]) -> bool:
    """Say whether a check lacks what it lacks for no reason: it is neither partial nor open."""
    return bool(check.get("lastUpdatedUTC")) and check.get("clsdFlag") is not False


@dataclass(slots=True)
class _Shapes:
    """The shapes of one level, also by what is seen of them at a glance: names, Python types."""

    distinct: dict[ShapeKey, Shape] = field(default_factory=dict)
    at_a_glance: dict[tuple[Any, ...], Shape] = field(default_factory=dict)

    def count(self, record: dict[str, Any]) -> None:
        glance = (*record, *map(type, record.values()))
        shape = self.at_a_glance.get(glance)
        if shape is None:
            shape = self.of(record)
            if len(self.at_a_glance) < _MAX_GLANCES:
                self.at_a_glance[glance] = shape
        shape.count += 1

    def of(self, record: dict[str, Any]) -> Shape:
        key = shape_of(record)
        shape = self.distinct.get(key)
        if shape is None:
            shape = Shape(dict(fields_of(key)), _example(record))
            if len(self.distinct) < _MAX_SHAPES:
                self.distinct[key] = shape
        return shape


_Levels = defaultdict[str, _Shapes]


class Shapes:
    """Counts the shapes of one document's objects, level by level; repeated ids; future versions.

    Those of unfinished checks apart: partial ones, and those still open, lack what they lack for
    a reason.
    """

    def __init__(self) -> None:
        self.duplicates: Counter[str] = Counter()
        self.future: Counter[str] = Counter()
        self._whole: _Levels = defaultdict(_Shapes)
        self._partial: _Levels = defaultdict(_Shapes)

    def count_check(self, check: dict[str, Any]) -> None:
        """Count a check with its taxes, lines and their sub-objects."""
        levels = self._whole if is_whole(check) else self._partial
        levels[CHECKS_FIELD].count(check)
        for tax in _objects(check.get("taxes")):
            levels[TAXES_LEVEL].count(tax)
        for line in _objects(check.get("detailLines")):
            levels[LINES_LEVEL].count(line)
            for name in LINE_TYPES:
                detail = line.get(name)
                if isinstance(detail, dict):
                    levels[DETAIL_LEVELS[name]].count(detail)
                    break

    def count(self, level: str, record: dict[str, Any]) -> None:
        """Count one object at a level."""
        self._whole[level].count(record)

    def like(self, level: str, record: dict[str, Any], *, whole: bool) -> Shape:
        """Return what counts the objects like this one at a level, without those inside of them."""
        return (self._whole if whole else self._partial)[level].of(record)

    def levels(self) -> Iterator[Level]:
        """Yield what was counted at each level."""
        for path in self._whole | self._partial:
            whole, partial = (
                list(levels[path].distinct.values()) if path in levels else []
                for levels in (self._whole, self._partial)
            )
            yield Level(path, whole, partial)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _example(record: dict[str, Any]) -> dict[str, Any]:
    """Keep an object's fields, and of its lists and texts a little: an example must be small."""
    return {name: _cut(value) for name, value in record.items()}


def _cut(value: Any) -> Any:
    if type(value) is list:
        return value[:1]
    return value[:_MAX_EXAMPLE_CHARACTERS] if type(value) is str else value
