"""What one document did to a store-day: sums, changes, what lost and what was bad in it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from consumer.ingest.assembly import Prepared
from consumer.operate.proof.columns import changed_columns, shown
from consumer.operate.proof.documents import LakeObject, Read, check_ids

_SUMS = {"net": "sub_ttl", "guests": "gst_cnt", "tax": "tax"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A column that says something else after a document than before it."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Chapter:
    """One document, and what the tables said once it was loaded."""

    object_key: str
    version: str
    received_at: datetime | None  # None: the ledger never saw it
    as_of: datetime | None
    outcome: str  # loaded, superseded, or why it was refused
    patched: int  # checks of which it told only some columns; counted in the end
    quarantined: tuple[Row, ...]
    lost_to: tuple[tuple[str, int], ...]  # the objects that were newer, and for how many checks
    checks: int
    guests: Decimal
    net: Decimal
    tax: Decimal
    changes: tuple[tuple[str, Change], ...]  # by check, or by part of the check; largest first


def by_check(rows: Iterable[Row]) -> dict[str, Row]:
    """Return what sums are made of, by check."""
    return {
        str(row["guest_check_id"]): {name: row[column] for name, column in _SUMS.items()}
        for row in rows
        if not row["is_cancelled"]
    }


def changes_of(
    before: Mapping[str, Row], after: Mapping[str, Row], *, is_ranked: bool
) -> list[tuple[str, Change]]:
    """Return what differs between two states; `is_ranked`: what is worth most first."""
    found = [
        (_worth(was, now), name, Change(column, shown(was), shown(now)))
        for name in dict.fromkeys((*before, *after))
        for column, was, now in changed_columns(before.get(name, {}), after.get(name, {}))
    ]
    if is_ranked:
        found.sort(key=lambda one: -one[0])
    return [(name, change) for _, name, change in found]


def _worth(was: Any, now: Any) -> Decimal:
    both = [value if isinstance(value, int | Decimal) else 0 for value in (was, now)]
    return abs(Decimal(both[1]) - Decimal(both[0]))


def chapter(
    one: LakeObject,
    read: Read,
    outcome: str,
    rows: Sequence[Row],
    changes: Iterable[tuple[str, Change]],
) -> Chapter:
    """Describe a document by the rows that stand once it was loaded."""
    prepared = read if isinstance(read, Prepared) else None
    counted = [row for row in rows if not row["is_cancelled"]]
    return Chapter(
        object_key=one.name[0],
        version=one.name[1],
        received_at=one.entry["received_at"] if one.entry else None,
        as_of=_as_of(prepared),
        outcome=outcome,
        patched=0,
        quarantined=tuple(
            {"path": bad.path, "id": bad.record_id, "code": bad.code}
            for bad in (prepared.quarantined if prepared else ())
        ),
        lost_to=_lost(one, prepared, rows),
        checks=len(counted),
        changes=tuple(changes),
        **{
            name: sum((Decimal(row[column] or 0) for row in counted), Decimal())
            for name, column in _SUMS.items()
        },
    )


def _as_of(prepared: Prepared | None) -> datetime | None:
    if prepared is None:
        return None
    document = prepared.document
    return document.frame.as_of or document.identity.last_modified


def _lost(
    one: LakeObject, prepared: Prepared | None, rows: Iterable[Row]
) -> tuple[tuple[str, int], ...]:
    """Return the objects that a document's own checks stand at instead, the one of most first."""
    spoken = {*check_ids(prepared, full_only=True)} if prepared else set()
    winners = Counter(
        row["object_key"]
        for row in rows
        if row["guest_check_id"] in spoken and (row["object_key"], row["version"]) != one.name
    )
    return tuple(winners.most_common())
