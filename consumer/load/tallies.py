"""How often something was seen, since when, and in which objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from consumer.load.document import Identity

_MAX_TALLIES = 200_000  # documents that use ids as field names must not fill memory

Key = TypeVar("Key", bound=tuple[Any, ...])


@dataclass(slots=True)
class Tally:
    """Counts over some documents, and the first and last of them.

    `records` are those that were looked at, `filled` those of them that filled a field.
    `first_day` is the earliest business date. `note` is the JSON type of an unknown field, or the
    detail of a finding.
    """

    objects: int
    records: int
    filled: int
    first_day: date
    first_seen: datetime
    last_seen: datetime
    first_object_key: str
    last_object_key: str
    note: str | None

    @classmethod
    def of(
        cls, identity: Identity, day: date, records: int, filled: int = 0, note: str | None = None
    ) -> "Tally":
        """Return the tally of a single document."""
        time, key = identity.event_time, identity.event.key
        return cls(1, records, filled, day, time, time, key, key, note)

    def add(self, other: "Tally") -> None:
        """Count further documents."""
        self.objects += other.objects
        self.records += other.records
        self.filled += other.filled
        self.first_day = min(self.first_day, other.first_day)
        if other.first_seen < self.first_seen:
            self.first_seen, self.first_object_key = other.first_seen, other.first_object_key
        if other.last_seen >= self.last_seen:
            self.last_seen, self.last_object_key = other.last_seen, other.last_object_key

    @property
    def values(self) -> tuple[Any, ...]:
        """What is said of it, in the order of its fields."""
        return (
            self.objects,
            self.records,
            self.filled,
            self.first_day,
            self.first_seen,
            self.last_seen,
            self.first_object_key,
            self.last_object_key,
            self.note,
        )


def add(tallies: dict[Key, Tally], key: Key, tally: Tally) -> None:
    """Add to a tally, or start one unless there are too many."""
    known = tallies.get(key)
    if known is not None:
        known.add(tally)
    elif len(tallies) < _MAX_TALLIES:
        tallies[key] = tally


def columns(tallies: Mapping[Any, Tally]) -> list[list[Any]]:
    """Return keys and values column by column, for `unnest`, in key order."""
    rows = ((*key, *tallies[key].values) for key in sorted(tallies))
    return [list(column) for column in zip(*rows, strict=True)]
