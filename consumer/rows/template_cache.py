"""The shapes that one document's plain records have at one level: how written, and how often."""

from collections.abc import Callable
from typing import Any

from consumer.drift.shapes import Shape as CountedShape
from consumer.drift.shapes import ShapeKey, shape_of
from consumer.rows.fields import Fields
from consumer.rows.row_templates import NotPlain, RowShape, row_shape
from schemas.aliases import Renames

# What is remembered must be small, or a hostile document could fill memory.
_MAX_SHAPES = 2000  # of one level of one document
_MAX_FIELDS = 200
_MAX_NAME_CHARACTERS = 5000  # of all fields together

Count = Callable[[dict[str, Any]], CountedShape]


class SeenShape:
    """One shape: how records of it are written, if they are plain, and what counts them."""

    __slots__ = ("_count", "counted", "row")

    def __init__(self, row: RowShape | None, count: Count) -> None:
        self.row = row
        self.counted: CountedShape | None = None
        self._count = count

    def begin(self, record: dict[str, Any]) -> CountedShape:
        """Return what counts the records like this one from now on."""
        self.counted = counted = self._count(record)
        return counted


# The records inside of one, each with its shape: counted when all of them are plain.
Found = list[tuple[SeenShape, dict[str, Any]]]


class SeenShapes:
    """The shapes of one level.

    Args:
        fields: What its records have columns for.
        renames: Those in force at the level.
        count: Gives what counts the records like one.
    """

    def __init__(self, fields: Fields, renames: Renames, count: Count) -> None:
        self._fields = fields
        self._renames = renames
        self._count = count
        self._seen: dict[ShapeKey, SeenShape] = {}

    def find(self, record: Any, found: Found) -> RowShape:
        """Return how a record is written, and add it with its shape to those that were `found`.

        Raises:
            NotPlain: by its shape.
        """
        if type(record) is not dict:
            raise NotPlain
        seen = self._seen.get(shape_of(record)) or self._meet(record)
        row = seen.row
        if row is None:
            raise NotPlain
        found.append((seen, record))
        return row

    def _meet(self, record: dict[str, Any]) -> SeenShape:
        rename_plainly(record, self._renames)
        shape = shape_of(record)
        if shape in self._seen:
            return self._seen[shape]
        too_long = len(record) > _MAX_FIELDS or sum(map(len, record)) > _MAX_NAME_CHARACTERS
        if too_long or len(self._seen) >= _MAX_SHAPES:
            raise NotPlain
        ambiguous = any(alias in record for alias, _ in self._renames)
        row = None if ambiguous else row_shape(self._fields, shape)
        seen = self._seen[shape] = SeenShape(row, self._count)
        return seen


def rename_plainly(record: dict[str, Any], renames: Renames) -> None:
    """Give fields their canonical names, in place, where nothing has that name."""
    for alias, canonical in renames:
        if alias in record and canonical not in record:
            record[canonical] = record.pop(alias)
