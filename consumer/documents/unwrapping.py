"""Bringing a document whose records are at a record path into the ordinary form.

Fields of the levels above the records are the document's; of levels in lists, each record's. What
cannot be one document, such as answers of several stores in one file, is refused.
"""

import re
from itertools import product
from typing import Any, NamedTuple

from consumer.documents.frames import DocumentInvalid, refuse_error_answer, refuse_part
from consumer.documents.quarantine import Places
from consumer.documents.storable import RepeatedKeys
from consumer.drift.record_lists import looks_like_record
from schemas.aliases import Aliases
from schemas.codes import ErrorCode
from schemas.keys import ApiKey, ErpKey
from schemas.record_paths import EACH, RecordPath
from schemas.registry import Source
from schemas.root_fields import RootFields

_EMPTY: tuple[Any, ...] = (None, "", [], {})
_DATE_CHARACTERS = len("2024-01-31")
_SHOWN_VALUES = 3


class _Found(NamedTuple):
    """One list of records: where it is, and what the levels above it in lists hand down to each."""

    place: str
    records: list[Any] | None
    handed: dict[str, Any]


class Unwrapping:
    """One document on its way to the ordinary form."""

    def __init__(
        self, path: RecordPath, source: Source, key: ApiKey | ErpKey, aliases: Aliases
    ) -> None:
        self._path, self._source, self._key = path, source, key
        canonical = {name: name for name in RootFields.model_fields}
        canonical |= {alias: name for alias, name in aliases.at(source, "") if name in canonical}
        self._canonical = canonical
        self._aliases = aliases
        self._record_names = dict(aliases.at(source, source.entry.list_field))
        self._fields: dict[str, Any] = {}
        self._repeated: tuple[str, ...] = ()
        self._lists: list[_Found] = []
        self._values: dict[str, dict[str, Any]] = {}  # of root fields in lists, by what they say

    def unwrap(self, document: Any) -> tuple[dict[str, Any], Places]:
        """Return the root in the ordinary form, and where its records were.

        Raises:
            DocumentInvalid: what is at the path is not one whole document of this source.
        """
        own = self._source.entry.list_field
        is_single = self._path.steps == (EACH,) and isinstance(document, dict)
        self._walk([document] if is_single else document, self._path.steps, "", None)
        if self._fields.get(own):
            raise _ambiguous(f"records are in {own} and at {self._path}; send only one of them")
        inherited = {name for name in RootFields.model_fields if self._settle(name)}
        places = Places()
        records: list[Any] = []
        for found in self._lists:
            places.add(len(records), found.place)
            records += self._with_handed(found, inherited)
        if self._lists:
            is_null = all(found.records is None for found in self._lists)
            self._fields[own] = None if is_null else records
        root = RepeatedKeys(self._fields, self._repeated) if self._repeated else self._fields
        return root, places

    def _walk(
        self, value: Any, steps: tuple[str, ...], place: str, handed: dict[str, Any] | None
    ) -> None:
        """Follow the path; `handed` is what the levels in lists hand down, None above all lists."""
        step, rest = steps[0], steps[1:]
        if step == EACH:
            self._walk_list(value, rest, place, handed or {})
            return
        if not isinstance(value, dict):
            raise _unexpected(place, value, "an object")
        self._repeated += getattr(value, "repeated", ())
        beside = {name: inner for name, inner in value.items() if name != step}
        inner_place = f"{place}.{step}".lstrip(".")
        if handed is None:
            self._merge(beside, place)
        else:
            self._refuse_odd_level(value, step, place)
            handed = handed | self._handed_down(beside, place)
        if step in value:
            self._walk(value[step], rest, inner_place, handed)
        elif handed is not None:
            # Like null, but where every list is absent, fields that are kept tell of a new name.
            self._keep_all(inner_place, handed)

    def _walk_list(
        self, value: Any, rest: tuple[str, ...], place: str, handed: dict[str, Any]
    ) -> None:
        if not isinstance(value, list | None):
            raise _unexpected(place, value, "a list or null")
        if not rest or not value:
            self._lists.append(_Found(place, value, handed))
            return
        for number, item in enumerate(value):
            self._walk(item, rest, f"{place}[{number}]", handed)

    def _refuse_odd_level(self, level: dict[str, Any], step: str, place: str) -> None:
        """Hold a level in a list to what holds for a document's root."""
        refuse_part(level, self._key)
        if level.get(step):
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
            elif name in self._canonical:
                raise _ambiguous(f"{name} differs between {place} and the level above it")
            else:
                self._fields[f"{place}.{name}"] = value

    def _handed_down(self, beside: dict[str, Any], place: str) -> dict[str, Any]:
        """Return the fields of a level in a list that its records inherit: the filled scalars."""
        handed = {}
        for name, value in beside.items():
            if value in _EMPTY:
                continue
            self._note(name, value)
            if _is_nested(value):
                self._keep(place, name, value)
            else:
                handed[name] = value
        return handed

    def _note(self, name: str, value: Any) -> None:
        if (root_field := self._canonical.get(name)) and value not in _EMPTY:
            text = str(value).strip()
            says = text[:_DATE_CHARACTERS] if root_field == "busDt" else text
            self._values.setdefault(root_field, {}).setdefault(says, value)

    def _keep(self, place: str, name: str, value: Any) -> None:
        """Keep with the document what no record inherits."""
        self._fields.setdefault(f"{re.sub('[0-9]+', '', place)}.{name}", []).append(value)

    def _keep_all(self, list_place: str, handed: dict[str, Any]) -> None:
        """Keep what a list without records cannot hand down."""
        for name in handed.keys() - self._canonical.keys():
            self._keep(list_place.rpartition(".")[0], name, handed[name])

    def _settle(self, name: str) -> bool:
        """Make the one value of a root field the document's, and say whether there is only one.

        What records say counts only where no level above them says it.
        """
        names = [other for other, root_field in self._canonical.items() if root_field == name]
        above = [self._fields[other] for other in names if self._fields.get(other) not in _EMPTY]
        in_records = not above and name not in self._values
        rows = [row for found in self._lists for row in found.records or () if in_records]
        for row, other in product(rows, names):
            if isinstance(row, dict) and other in row:
                self._note(other, row[other])
        if above:
            self._note(name, above[0])
        values = self._values.get(name, {})
        if len(values) > 1:
            self._refuse_several(name, list(values), in_records=in_records)
            return False
        if values and not above:
            [self._fields[name]] = values.values()
            for row, other in product(rows, names):
                if isinstance(row, dict):
                    row.pop(other, None)
        return True

    def _refuse_several(self, name: str, values: list[str], *, in_records: bool) -> None:
        """Refuse what is several documents; an export of checks has many days."""
        if (name == "busDt" and self._source is Source.ERP) or (name == "curUTC" and in_records):
            return
        shown = ", ".join(value[:100] for value in values[:_SHOWN_VALUES])
        raise _invalid(
            f"{name} differs within the document ({shown}{', …' * (len(values) > _SHOWN_VALUES)}): "
            "it is several documents; send each as a file of its own"
        )

    def _with_handed(self, found: _Found, inherited: set[str]) -> list[Any]:
        """Give records what the levels above hand down, unless they have that field themselves."""
        handed = {
            name: value
            for name, value in found.handed.items()
            if self._canonical.get(name) not in inherited
        }
        for row in found.records or ():
            if handed and isinstance(row, dict):
                taken = {self._record_names.get(name, name) for name in row}
                for name, value in handed.items():
                    if self._record_names.get(name, name) not in taken:
                        row[name] = value
        if not found.records:
            self._keep_all(found.place, handed)
        return found.records or []


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def _unexpected(place: str, value: Any, expected: str) -> DocumentInvalid:
    kind = "null" if value is None else type(value).__name__
    return _invalid(f"{place or 'the document'} is {kind}, expected {expected}")


def _invalid(message: str) -> DocumentInvalid:
    return DocumentInvalid(ErrorCode.SCHEMA_INVALID, message)


def _ambiguous(message: str) -> DocumentInvalid:
    return DocumentInvalid(ErrorCode.AMBIGUOUS_FIELD, message)
