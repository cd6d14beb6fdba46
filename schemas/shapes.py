"""Which shapes the records of a document have: field names and JSON types, level by level.

A source has few shapes, so documents of any size are described by few counts and examples.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from schemas.json_types import DETAIL_LEVELS, JSON_TYPES, LINES_LEVEL, TAXES_LEVEL
from schemas.store_days import CHECKS_FIELD

_VERSION_FIELD = "lastUpdatedUTC"
_MAX_SHAPES = 2000  # of one level of one document: a hostile one must not fill memory
MAX_NAMES = 1000  # looked at, of one level of one document: as above, for time
MAX_NAME_CHARACTERS = 200

# By level and shape: how many, and an example
_Counts = dict[str, dict[tuple[Any, ...], list[Any]]]
_Examples = list[tuple[int, dict[str, Any]]]

# JSON has one type of number, so an amount without cents makes no shape of its own.
_KIND_OF = {**JSON_TYPES, type(None): "null"}.get


@dataclass(frozen=True, slots=True)
class Presence:
    """How many of one document's records at a level filled a field."""

    path: str
    filled: int
    records: int


@dataclass(frozen=True, slots=True)
class Level:
    """The records at one level of a document: (how many, an example) of each shape."""

    path: str
    whole: _Examples
    partial: _Examples

    @property
    def examples(self) -> _Examples:
        """Those of whole and of partial records."""
        return self.whole + self.partial

    def presences(self, known: Collection[str]) -> list[Presence]:
        """Say of each field how many whole records fill it: of the known and of some others."""
        filled: Counter[str] = Counter()
        for count, example in self.whole:
            for name, value in example.items():
                few = len(filled) < MAX_NAMES or name in filled or name in known
                if value is not None and few:
                    filled[name] += count
        total = sum(count for count, _ in self.whole)
        return [Presence(self.path_of(name), count, total) for name, count in filled.items()]

    def path_of(self, name: str) -> str:
        """Return a field's path; an endless name is cut, as paths are keys of tables."""
        return f"{self.path}.{name[:MAX_NAME_CHARACTERS]}"


class Shapes:
    """Counts the shapes of one document's records, level by level.

    Those of partial checks apart: missing fields are what makes them partial.
    """

    def __init__(self) -> None:
        self._whole: _Counts = {}
        self._partial: _Counts = {}

    def count_check(self, check: dict[str, Any]) -> None:
        """Count a check with its taxes, lines and their sub-objects."""
        counts = self._whole if check.get(_VERSION_FIELD) else self._partial
        _count(counts, CHECKS_FIELD, check)
        for tax in _dicts(check.get("taxes")):
            _count(counts, TAXES_LEVEL, tax)
        for line in _dicts(check.get("detailLines")):
            _count(counts, LINES_LEVEL, line)
            for name, level in DETAIL_LEVELS.items():
                detail = line.get(name)
                if type(detail) is dict:
                    _count(counts, level, detail)
                    break

    def count(self, level: str, record: dict[str, Any]) -> None:
        """Count one record at a level."""
        _count(self._whole, level, record)

    def levels(self) -> Iterator[Level]:
        """Yield what was counted at each level."""
        for path in self._whole | self._partial:
            yield Level(path, _examples(self._whole, path), _examples(self._partial, path))


def _count(counts: _Counts, level: str, record: dict[str, Any]) -> None:
    shapes = counts.get(level)
    if shapes is None:
        shapes = counts[level] = {}
    shape = (*record, *map(_KIND_OF, map(type, record.values())))
    known = shapes.get(shape)
    if known is not None:
        known[0] += 1
    elif len(shapes) < _MAX_SHAPES:
        shapes[shape] = [1, _example(record)]


def _examples(counts: _Counts, level: str) -> _Examples:
    return [(count, example) for count, example in counts.get(level, {}).values()]


def _example(record: dict[str, Any]) -> dict[str, Any]:
    """Keep a record's fields, and of its lists only the first item: an example must be small."""
    return {name: value[:1] if type(value) is list else value for name, value in record.items()}


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
