"""Reading validated records: a contract's fields in the order of their columns, and the rest."""

from collections.abc import Iterable
from typing import Any

from consumer.documents.odd_values import original_name
from consumer.documents.validation import ValidRecord
from consumer.rows.copy_text import CELLS, NULL
from schemas.fields import Record
from schemas.guest_checks import LINE_TYPES


class Fields:
    """The fields of one contract that have a column, and what they are when they were not sent.

    `names` are in the order of the columns; None is a column that is another contract's.
    """

    def __init__(self, model: type[Record], names: Iterable[str | None]) -> None:
        self.model = model
        self.columns = tuple(names)
        self.names = tuple(name for name in self.columns if name is not None)
        self._known = frozenset(model.model_fields)
        self._defaults = tuple((name, _default(model, name)) for name in self.columns)

    def cells(self, record: ValidRecord) -> list[str]:
        """Return a record's cells in the order of the columns."""
        get: Any = record.get  # with None for a name, too
        # Most fields of a check are absent: nothing is called for those.
        return [
            NULL if (value := get(name, default)) is None else CELLS[type(value)](value)
            for name, default in self._defaults
        ]

    def unknown(self, record: ValidRecord) -> dict[str, Any] | None:
        """Return the fields that the contract does not name, or None."""
        if record.keys() <= self._known:
            return None
        return {
            original_name(name): value for name, value in record.items() if name not in self._known
        }


def details_of(line: ValidRecord) -> list[tuple[str, ValidRecord]]:
    """Return a detail line's sub-objects; the first names its type."""
    found = [(name, line.get(name)) for name in LINE_TYPES]
    return [(name, detail) for name, detail in found if detail is not None]


def by_id(children: list[ValidRecord] | None, id_field: str) -> Iterable[ValidRecord]:
    """Give a check's children; of two with one id the later counts."""
    return {child[id_field]: child for child in children or ()}.values()


def _default(model: type[Record], name: str | None) -> Any:
    if name is None:
        return None
    field = model.model_fields[name]
    return None if field.is_required() else field.default
