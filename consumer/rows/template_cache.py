"""The shapes that one document's plain records have at one level: how written, and how often."""

from dataclasses import dataclass, field
from typing import Any

from consumer.drift.shapes import Shape, ShapeKey, Shapes, shape_of
from consumer.rows.fields import Fields
from consumer.rows.row_templates import NotPlain, RowTemplate, row_template
from schemas.aliases import Renames

# What is remembered must be small, or a hostile document could fill memory.
_MAX_SHAPES = 2000  # of one level of one document
_MAX_FIELDS = 200
_MAX_NAME_CHARACTERS = 5000  # of all fields together


@dataclass(slots=True)
class CachedTemplate:
    """One shape: how records of it are written, if they are plain, and what counts them."""

    level: str
    row: RowTemplate | None
    counted: dict[bool, Shape] = field(default_factory=dict)  # those of unfinished checks apart


# The records inside of one, each with its shape: counted when all of them are plain.
Found = list[tuple[CachedTemplate, dict[str, Any]]]


def count(found: Found, shapes: Shapes, *, whole: bool = True) -> None:
    """Count records that were written: the first one of a shape describes it."""
    for seen, record in found:
        counted = seen.counted.get(whole)
        if counted is None:
            counted = seen.counted[whole] = shapes.like(seen.level, record, whole=whole)
        counted.count += 1


class TemplateCache:
    """The shapes of one level, and the renames in force there."""

    def __init__(self, level: str, fields: Fields, renames: Renames) -> None:
        self._level = level
        self._fields = fields
        self._renames = renames
        self._seen: dict[ShapeKey, CachedTemplate] = {}

    def find(self, record: Any, found: Found) -> RowTemplate:
        """Return how a record is written, and add it with its shape to those that were `found`.

        Fields get their canonical names in place. Raises NotPlain by its shape.
        """
        if type(record) is not dict:
            raise NotPlain
        seen = self._seen.get(shape_of(record)) or self._meet(record)
        row = seen.row
        if row is None:
            raise NotPlain
        found.append((seen, record))
        return row

    def _meet(self, record: dict[str, Any]) -> CachedTemplate:
        for alias, canonical in self._renames:
            if alias in record and canonical not in record:
                record[canonical] = record.pop(alias)
        shape = shape_of(record)
        if shape in self._seen:
            return self._seen[shape]
        too_long = len(record) > _MAX_FIELDS or sum(map(len, record)) > _MAX_NAME_CHARACTERS
        if too_long or len(self._seen) >= _MAX_SHAPES:
            raise NotPlain
        ambiguous = any(alias in record for alias, _ in self._renames)
        row = None if ambiguous else row_template(self._fields, shape)
        seen = self._seen[shape] = CachedTemplate(self._level, row)
        return seen
