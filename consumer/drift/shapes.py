"""Which shapes the objects of a document have: field names and JSON types, level by level.

A source has few shapes, so documents of any size are described by few counts and examples.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from consumer.drift.json_types import DETAIL_LEVELS, JSON_TYPES, LINES_LEVEL, TAXES_LEVEL, path_at
from schemas.guest_checks import LINE_TYPES
from schemas.registry import CHECKS_FIELD

_MAX_SHAPES = 2000  # of one level of one document: a hostile one must not fill memory
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


class Shapes:
    """Counts the shapes of one document's objects, level by level; repeated ids; future versions.

    Those of unfinished checks apart: what these lack, they lack for a reason.
    """

    def __init__(self) -> None:
        self.duplicates: Counter[str] = Counter()
        self.future: Counter[str] = Counter()
        self._seen: defaultdict[tuple[str, bool], dict[ShapeKey, Shape]] = defaultdict(dict)

    def count_check(self, check: dict[str, Any]) -> None:
        """Count a check with its taxes, lines and their sub-objects."""
        whole = is_whole(check)
        self.count(CHECKS_FIELD, check, whole=whole)
        for tax in _objects(check.get("taxes")):
            self.count(TAXES_LEVEL, tax, whole=whole)
        for line in _objects(check.get("detailLines")):
            self.count(LINES_LEVEL, line, whole=whole)
            for name in LINE_TYPES:
                detail = line.get(name)
                if isinstance(detail, dict):
                    self.count(DETAIL_LEVELS[name], detail, whole=whole)
                    break

    def count(self, level: str, record: dict[str, Any], *, whole: bool = True) -> None:
        """Count one object at a level, without those inside of it."""
        self.like(level, record, whole=whole).count += 1

    def like(self, level: str, record: dict[str, Any], *, whole: bool) -> Shape:
        """Return what counts the objects like this one at a level, without those inside of them."""
        seen, key = self._seen[level, whole], shape_of(record)
        shape = seen.get(key)
        if shape is None:
            shape = Shape(
                dict(fields_of(key)), {name: _cut(value) for name, value in record.items()}
            )
            if len(seen) < _MAX_SHAPES:
                seen[key] = shape
        return shape

    def levels(self) -> Iterator[Level]:
        """Yield what was counted at each level."""
        for path in {level: None for level, _ in self._seen}:
            whole, partial = self._seen[path, True], self._seen[path, False]
            yield Level(path, list(whole.values()), list(partial.values()))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _cut(value: Any) -> Any:
    """Keep a little of a list or text: an example must be small."""
    if type(value) is list:
        return value[:1]
    return value[:_MAX_EXAMPLE_CHARACTERS] if type(value) is str else value
