"""Documents whose records are elsewhere than in their source's list at the root.

The alias file says where: see `schemas/aliases.toml`. Such a document is brought into the ordinary
form, so that all the rules for frames and records hold for it as for any other. What cannot be one
document, such as answers of several stores in one file, is refused.
"""

import re
from collections import defaultdict
from itertools import islice, product
from typing import Any

from consumer.decoding.storable import RepeatedKeys
from consumer.documents.frames import (
    DocumentInvalid,
    refuse_error_answer,
    refuse_fewer,
    refuse_part,
)
from consumer.documents.quarantine import Places
from consumer.documents.record_path_choice import choose_path, root_fields_of
from consumer.drift.record_lists import looks_like_record
from schemas.aliases import Aliases
from schemas.codes import ErrorCode
from schemas.layouts import DocumentKey
from schemas.record_paths import EACH, RecordPath
from schemas.registry import RootFields, Source

_EMPTY: tuple[Any, ...] = (None, "", [], {})
_DATE_CHARACTERS = len("2024-01-31")


def unwrap(
    root: Any, source: Source, key: DocumentKey, aliases: Aliases
) -> tuple[Any, Places | None]:
    """Bring a document whose records are at a record path into the ordinary form.

    Args:
        root: The decoded document. Its records are changed in place.
        source: The source that the object's key names.
        key: The identity in the object's key.
        aliases: The record paths in force, and the other names of the fields.

    Returns:
        The new root, and where its records were; the same root and None when its records are in
        its list at the root, or at none of the paths.

    Raises:
        DocumentInvalid: what is at the path is not one whole document of this source.
    """
    path = choose_path(root, source, aliases)
    if path is None:
        return root, None
    return _Unwrapping(path, source, key, aliases).unwrap(root)


class _Unwrapping:
    """One document on its way to the ordinary form."""

    def __init__(
        self, path: RecordPath, source: Source, key: DocumentKey, aliases: Aliases
    ) -> None:
        self._path, self._source, self._key, self._aliases = path, source, key, aliases
        self._record_names = dict(aliases.at(source, source.entry.list_field))
        self._root_fields = root_fields_of(source, aliases)
        self._fields: dict[str, Any] = {}
        self._repeated: tuple[str, ...] = ()
        self._rows: list[Any] = []
        self._places = Places()
        # What root fields below the levels that are the document's say, and the values
        self._below: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    def unwrap(self, document: Any) -> tuple[dict[str, Any], Places]:
        own = self._source.entry.list_field
        is_single = self._path.steps == (EACH,) and isinstance(document, dict)
        self._walk([document] if is_single else document, self._path.steps, "", None)
        if self._fields.get(own):
            raise _ambiguous(f"records are in {own} and at {self._path}; send only one of them")
        for name in RootFields.model_fields:
            self._settle(name)
        if self._places.lists:
            self._fields[own] = self._rows
        root = RepeatedKeys(self._fields, self._repeated) if self._repeated else self._fields
        return root, self._places

    def _walk(
        self, value: Any, steps: tuple[str, ...], place: str, handed: dict[str, Any] | None
    ) -> None:
        """Follow the path; `handed` is what the levels in lists hand down, None above all lists."""
        step, rest = steps[0], steps[1:]
        if step == EACH:
            if not isinstance(value, list | None):
                raise _unexpected(place, value, "a list or null")
            for number, item in enumerate(value or () if rest else ()):
                self._walk(item, rest, f"{place}[{number}]", handed or {})
            if not rest or not value:
                self._take(value or [], place, handed or {})
            return
        if not isinstance(value, dict):
            raise _unexpected(place, value, "an object")
        self._repeated += getattr(value, "repeated", ())
        beside = {name: inner for name, inner in value.items() if name != step}
        if handed is None:
            self._merge(beside, place)
        else:
            self._refuse_odd_level(value, step, place)
            handed = handed | self._handed_down(beside, place)
        if step in value:
            self._walk(value[step], rest, f"{place}.{step}".lstrip("."), handed)
        elif handed:  # If no list is there at all, these fields tell that it has another name.
            self._keep(place, handed)

    def _refuse_odd_level(self, level: dict[str, Any], step: str, place: str) -> None:
        """Hold a level in a list to what holds for a document's root."""
        refuse_part(level, self._key)
        rows = level.get(step)
        if isinstance(rows, list) and step == self._path.steps[-2]:
            refuse_fewer(level, self._key, len(rows))
        if rows:
            return
        refuse_error_answer(level)
        if looks_like_record(level, self._source, self._aliases):
            raise _invalid(f"{place} is itself a record, expected an object with {step}")
        if filled := [name for name, value in level.items() if value and _is_nested(value)]:
            raise _invalid(f"{place} has no {step}, and {filled[0][:100]!r} is filled there")

    def _merge(self, beside: dict[str, Any], place: str) -> None:
        """Make the fields of a level above all lists the document's."""
        for name, value in beside.items():
            known = self._fields.get(name)
            if known in _EMPTY:
                self._fields[name] = value
            elif value in _EMPTY or value == known:
                continue
            elif name in self._root_fields:
                raise _ambiguous(f"{name} differs between {place} and the level above it")
            else:
                self._fields[f"{place}.{name}"] = value

    def _handed_down(self, beside: dict[str, Any], place: str) -> dict[str, Any]:
        """Return the fields of a level in a list that its records inherit: the filled scalars."""
        filled = {name: value for name, value in beside.items() if value not in _EMPTY}
        for name in filled.keys() & self._root_fields.keys():
            self._note(self._root_fields[name], filled.pop(name))
        self._keep(place, {name: value for name, value in filled.items() if _is_nested(value)})
        return {name: value for name, value in filled.items() if not _is_nested(value)}

    def _keep(self, place: str, fields: dict[str, Any]) -> None:
        """Keep with the document what no record inherits."""
        for name, value in fields.items():
            self._fields.setdefault(f"{re.sub('[0-9]+', '', place)}.{name}", []).append(value)

    def _take(self, rows: list[Any], place: str, handed: dict[str, Any]) -> None:
        """Take a list of records; each inherits what it does not have itself, by any name."""
        self._places.add(len(self._rows), place)
        self._rows += rows
        if not rows:
            self._keep(place.rpartition(".")[0], handed)
        for row in rows:
            if handed and isinstance(row, dict):
                taken = {self._record_names.get(name, name) for name in row}
                for name, value in handed.items():
                    if self._record_names.get(name, name) not in taken:
                        row[name] = value

    def _note(self, root_field: str, value: Any) -> None:
        text = str(value).strip()
        text = text[:_DATE_CHARACTERS] if root_field == "busDt" else text
        self._below[root_field].setdefault(text, value)

    def _settle(self, root_field: str) -> None:
        """Make the one value of a root field the document's.

        What records say counts only where no level above them says it.
        """
        names = [name for name, meant in self._root_fields.items() if meant == root_field]
        above = [self._fields[name] for name in names if self._fields.get(name) not in _EMPTY]
        in_records = not above and not self._below[root_field]
        records = [row for row in self._rows if isinstance(row, dict)] if in_records else []
        for row, name in product(records, names):
            if row.get(name) not in _EMPTY:
                self._note(root_field, row[name])
        for value in above[:1]:
            self._note(root_field, value)
        values = self._below[root_field]
        if len(values) > 1:
            self._refuse_several(root_field, values, in_records=in_records)
        elif values and not above:
            [self._fields[root_field]] = values.values()
            for row, name in product(records, names):
                row.pop(name, None)

    def _refuse_several(self, name: str, values: dict[str, Any], *, in_records: bool) -> None:
        """Refuse what is several documents; only an export of checks has many days."""
        is_export = self._source.holds_checks and self._key.bus_dt is None
        is_export_day = name == "busDt" and is_export
        if is_export_day and not in_records:
            self._fields[f"{EACH}.{name}"] = list(values.values())
        elif not is_export_day and not (name == "curUTC" and in_records):
            first, second = (text[:100] for text in islice(values, 2))
            raise _invalid(
                f"{name} differs within the document ({first}, {second}): it is several documents; "
                "send each as a file of its own"
            )


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def _unexpected(place: str, value: Any, expected: str) -> DocumentInvalid:
    kind = "null" if value is None else type(value).__name__
    return _invalid(f"{place or 'the document'} is {kind}, expected {expected}")


def _invalid(message: str) -> DocumentInvalid:
    return DocumentInvalid(ErrorCode.SCHEMA_INVALID, message)


def _ambiguous(message: str) -> DocumentInvalid:
    return DocumentInvalid(ErrorCode.AMBIGUOUS_FIELD, message)
