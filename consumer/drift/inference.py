"""What only many documents tell: fields that stopped coming, scalars that came under a new name.

Worked out per store when asked, from what is kept of each store-day, by business date: documents
that were loaded in another order, or twice, change nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from consumer.drift.findings import MISSING, RENAMED, UNKNOWN
from consumer.drift.json_types import field_paths, path_at
from consumer.drift.renames import remedy, scalars_for
from schemas.registry import Source

ENOUGH_RECORDS = 20  # before which no field is expected in every one
_ENOUGH_WITHOUT = 10  # records without a field, before it is missing

Row = dict[str, Any]
_Field = tuple[str, str]  # source and path


@dataclass(frozen=True, slots=True)
class Stopped:
    """A field that most records of a store had, and none of its documents has since a day.

    `records` and `documents` came without it since then; `…_before` are of the half year up to
    the last day with it: so many records, in so many of them filled, so many documents lacking it.
    `last_…` and `first_…` are the counts of the last day with it and of the first without it.
    """

    source: str
    store_id: str
    path: str
    since: date
    records: int
    documents: int
    records_before: int
    filled_before: int
    lacking_before: int
    last_records: Mapping[str, int]
    last_fields: Mapping[str, int]
    first_records: Mapping[str, int]
    first_fields: Mapping[str, int]
    first_seen: datetime
    last_seen: datetime
    first_object_key: str
    last_object_key: str

    @property
    def level(self) -> str:
        """The path of the objects that have the field."""
        return self.path.rpartition(".")[0]

    @property
    def is_missing(self) -> bool:
        """Say whether so many came without it that it will not come again.

        More documents than lacked it before in half a year: on some days of the week, say.
        """
        return self.records >= _ENOUGH_WITHOUT and self.documents > self.lacking_before

    def is_replaced_by(self, path: str) -> bool:
        """Say whether a field came in its place: half as often or more, and not beside it."""
        records, seen = self.first_records[self.level], self.first_fields[path]
        beside = self.last_fields[self.path] + self.last_fields.get(path, 0)
        return (
            seen * self.records_before * 2 >= records * self.filled_before
            and seen <= records
            and beside <= self.last_records[self.level]
        )


def infer(stopped: Iterable[Stopped], seen: Iterable[Row]) -> list[Row]:
    """Say which fields are missing since when and in which stores, and what they are called now.

    `seen` are rows of `schema_drift`; so are those returned, with `since` and `stores`. A field
    that was renamed is missing as well, however few its records.
    """
    by_store: defaultdict[_Field, dict[str, Stopped]] = defaultdict(dict)
    for field in stopped:
        if field.path in field_paths(Source(field.source)):
            by_store[field.source, field.store_id][field.path] = field
    unknown = {(row["source"], row["path"]): row for row in seen if row["kind"] == UNKNOWN}
    missing: defaultdict[_Field, list[Stopped]] = defaultdict(list)
    renamed: defaultdict[tuple[str, str, str], list[Stopped]] = defaultdict(list)
    for (source, _), fields in by_store.items():
        pairs = dict(_renamed(Source(source), fields, unknown))
        for new, old in pairs.items():
            renamed[source, new, old.path].append(old)
        for field in fields.values():
            if field.is_missing or field in pairs.values():
                missing[source, field.path].append(field)
    return [
        *(_renamed_row(unknown[source, new], old) for (source, new, _), old in renamed.items()),
        *(_missing_row(fields) for fields in missing.values()),
    ]


def _renamed(
    source: Source, fields: Mapping[str, Stopped], unknown: Mapping[_Field, Row]
) -> Iterator[tuple[str, Stopped]]:
    """Pair unknown fields of one store with those whose place they took; the likest one wins."""
    for new in sorted({path for field in fields.values() for path in field.first_fields}):
        level, _, name = new.rpartition(".")
        row = unknown.get((source, new))
        for kind in (row["detail"] or "").split(" or ") if row else ():
            for known in scalars_for(source, level, name, kind):
                field = fields.get(path_at(level, known))
                if field and new in field.first_fields and field.is_replaced_by(new):
                    yield new, field
                    break


def _renamed_row(seen: Row, stores: list[Stopped]) -> Row:
    known = stores[0].path.rpartition(".")[2]
    level, _, name = seen["path"].rpartition(".")
    line = remedy(Source(seen["source"]), level, name, known)
    return seen | {"kind": RENAMED, "detail": line} | _where(stores)


def _missing_row(stores: list[Stopped]) -> Row:
    first = min(stores, key=lambda field: field.first_seen)
    last = max(stores, key=lambda field: field.last_seen)
    return {
        "source": first.source,
        "path": first.path,
        "kind": MISSING,
        "detail": None,
        "occurrences": sum(field.records for field in stores),
        "objects": sum(field.documents for field in stores),
        "first_seen": first.first_seen,
        "last_seen": last.last_seen,
        "first_object_key": first.first_object_key,
        "last_object_key": last.last_object_key,
        "last_store_id": last.store_id,
        "last_bus_dt": None,
    } | _where(stores)


def _where(stores: list[Stopped]) -> Row:
    return {
        "since": min(field.since for field in stores),
        "stores": sorted(field.store_id for field in stores),
    }
