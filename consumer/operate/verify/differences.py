"""What a proof finds: rows that are not as the lake says, and objects without their other half."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from consumer.operate.proof.columns import changed_columns, shown
from consumer.operate.proof.documents import LakeObject, Name
from schemas.key_templates import TemplateKey
from schemas.layouts import DocumentKey
from schemas.registry import Source


class Kind(StrEnum):
    """What is not as it should be."""

    MISSING = "missing"  # a row that the lake says stands
    EXTRA = "extra"  # a row that no document says, or not any more
    DIFFERENT = "different"  # a row whose columns differ
    UNSEEN = "unseen"  # an object that the ledger does not know
    GONE = "gone"  # an object that was loaded and is not in the lake any more


class Cause(StrEnum):
    """Why, as far as provenance tells."""

    BY_HAND = "by_hand"  # the row comes from the right object, and does not say what it says
    OLDER_DOCUMENT = "older_document"  # the row comes from an object that has lost
    NEVER_ANNOUNCED = "never_announced"  # the right object never came
    NOT_LOADED = "not_loaded"  # the right object was dead-lettered, and would load now
    OBJECT_GONE = "object_gone"  # what the row comes from is not in the lake: nothing proves it


@dataclass(frozen=True, slots=True)
class Change:
    """A column of a row that differs."""

    column: str
    table: str | None
    lake: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be."""

    kind: Kind
    cause: Cause | None
    table: str | None
    key: Mapping[str, Any]
    bus_dt: date | None = None
    changes: tuple[Change, ...] = ()
    object_key: str | None = None  # that it should have come from; else the one it comes from

    @property
    def place(self) -> tuple[Any, ...]:
        """What tells it apart from others."""
        return self.kind, self.table, self.object_key if not self.table else "", *self.key.values()


@dataclass(frozen=True, slots=True)
class Found:
    """A row that differs, as a query returns it."""

    stored: dict[str, Any] | None
    expected: dict[str, Any] | None
    bus_dt: date | None
    stored_name: Name | None
    lake_name: Name | None

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> "Found":
        """Read a result row of a comparison."""
        stored, expected, *more = row
        bus_dt, stored_key, stored_version, lake_key, lake_version = more or [None] * 5
        return cls(
            stored and json.loads(stored, parse_float=Decimal),
            expected and json.loads(expected, parse_float=Decimal),
            bus_dt,
            (stored_key, stored_version) if stored_key else None,
            (lake_key, lake_version) if lake_key else None,
        )

    def difference(self, table: str, key: Collection[str], cause: Cause | None) -> Difference:
        """Describe it, column by column."""
        stored, expected = self.stored or {}, self.expected or {}
        kind = Kind.MISSING if not stored else Kind.EXTRA if not expected else Kind.DIFFERENT
        changes = tuple(
            Change(name, shown(was), shown(should))
            for name, was, should in changed_columns(stored, expected)
            if name not in key
        )
        told = {name: (stored or expected)[name] for name in key}
        name = self.lake_name or self.stored_name
        return Difference(kind, cause, table, told, self.bus_dt, changes, name and name[0])


@dataclass
class Proof:
    """What was found about some store-days."""

    differences: list[Difference] = field(default_factory=list)
    documents: int = 0
    waiting: int = 0
    # What a repair reads: the checks that differ, and every object that speaks of what differs.
    checks: set[tuple[str, int]] = field(default_factory=set)
    objects: list[LakeObject] = field(default_factory=list)

    def differs(self, key: DocumentKey) -> bool:
        """Say whether rows differ of the list that an answer is, and the lake can mend them."""
        if key.source.holds_checks:
            return False
        place = key.source.entry.table, (key.store_id or "").strip(), key.bus_dt
        rows = [one for one in self.differences if one.table == place[0]]
        causes = {
            one.cause
            for one in rows
            if isinstance(key, TemplateKey)
            or (one.table, one.key.get("store_id"), one.bus_dt) == place
        }
        return bool(causes) and Cause.OBJECT_GONE not in causes

    def strays(self, source: Source) -> list[Difference]:
        """Return rows of a list that stand on days of which the lake has no answer at all."""
        answers = [one.key for one in self.objects if one.key.source is source]
        if any(isinstance(key, TemplateKey) for key in answers):
            return []
        days = {((key.store_id or "").strip(), key.bus_dt) for key in answers}
        return [
            one
            for one in self.differences
            if one.table == source.entry.table
            and one.kind is Kind.EXTRA
            and one.cause is not Cause.OBJECT_GONE
            and (one.key["store_id"], one.bus_dt) not in days
        ]
