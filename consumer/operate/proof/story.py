"""The story of a store-day, or of one of its checks: loaded again, document by document.

The documents are found as proofs find them, and loaded in the order in which they were received
into tables of the session's own. What the tables say after each is compared with what they said
before it.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row

from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.load import statements
from consumer.operate.proof import scratch
from consumer.operate.proof.differences import Change, Name, shown
from consumer.operate.proof.documents import LakeObject, check_ids
from consumer.operate.proof.means import Means
from consumer.operate.proof.plan import Chosen
from consumer.operate.proof.proving import Proving
from consumer.operate.proof.verifying import open_means
from consumer.settings import ConsumerSettings
from schemas.registry import Source

_NEVER_TOLD = ["object_id", "as_of", "latest_credible", "removed_at", "patched", "store_id"]
_KEYS = ["guest_check_id", "guest_check_line_item_id", "tax_num"]
_LAST = datetime.max.replace(tzinfo=UTC)
_SUMS = {"net": "sub_ttl", "guests": "gst_cnt", "tax": "tax"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose story is told."""

    store: str
    day: date
    check_id: int | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """One document, and what the tables said once it was loaded."""

    object_key: str
    version: str
    received_at: datetime | None  # None: the ledger never saw it
    as_of: datetime | None
    outcome: str  # loaded, superseded, or why it was refused
    patched: int  # checks of which it told only some columns
    quarantined: tuple[Row, ...]
    lost_to: tuple[tuple[str, int], ...]  # the objects that were newer, and for how many checks
    checks: int
    guests: Decimal
    net: Decimal
    tax: Decimal
    changes: tuple[tuple[str, Change], ...]  # by check, or by part of the check; largest first


async def tell(settings: ConsumerSettings, subject: Subject) -> list[Chapter]:
    """Return the story, the document that was received first at the start.

    Raises:
        ConsumerError: a server does not answer.
    """
    sources = tuple(source for source in Source if source.holds_checks)
    stores = frozenset((subject.store,))
    chosen = Chosen(stores, subject.day, subject.day, sources)
    async with open_means(settings, chosen, timedelta()) as (means, _):
        async with scratch.snapshot(means.session):
            told = await _speakers(means, subject)
        async with scratch.snapshot(means.session):
            return await _Telling(means, subject).tell(*told)


async def _speakers(means: Means, subject: Subject) -> tuple[list[LakeObject], dict[Name, int]]:
    """Return the documents that spoke of the subject, and how many of its checks they patched."""
    proving = Proving(means, [(subject.store, subject.day)])
    await proving.gather()
    asked = {"check_id": subject.check_id}
    cursor = await means.session.execute(statements.fixed("find_speakers"), asked)
    patched: dict[Name, int] = {
        (key, version): count for key, version, count in await cursor.fetchall()
    }
    spoke = [
        one
        for one in proving.objects
        if one.name in patched
        # An answer of the day that says nothing, or is refused, belongs to its story too.
        or (subject.check_id is None and one.key.bus_dt == subject.day)
    ]
    return sorted(spoke, key=_order), {one.name: patched.get(one.name, 0) for one in spoke}


def _order(one: LakeObject) -> tuple[datetime, str]:
    known = one.entry["received_at"] if one.entry else one.event.event_time
    return known or _LAST, one.event.key


class _Telling:
    def __init__(self, means: Means, subject: Subject) -> None:
        self._means, self._session, self._subject = means, means.session, subject
        self._asked = {
            "store": subject.store,
            "day": subject.day,
            "check_id": subject.check_id,
            "hidden": _NEVER_TOLD + _KEYS,
        }

    async def tell(self, speakers: list[LakeObject], patched: dict[Name, int]) -> list[Chapter]:
        chapters: list[Chapter] = []
        before: dict[str, Row] = {}
        async for one, read in self._means.reading.read_all(speakers):
            outcome = "gone" if read is None else str(read)
            if isinstance(read, Prepared):
                states = await scratch.load(self._session, [read])
                outcome = states.get(read.document.number, "refused by the database")
            elif isinstance(read, Permanent):
                outcome = f"{read.code}: {read}"
            rows = await self._rows()
            is_check = self._subject.check_id is not None
            after = await self._parts() if is_check else _by_check(rows)
            changes = list(_changes(before, after, is_ranked=not is_check))
            chapters.append(_chapter(one, read, outcome, rows, changes, patched[one.name]))
            before = after
        return chapters

    async def _rows(self) -> list[Row]:
        async with self._session.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(statements.fixed("tell_day"), self._asked)
            return await cursor.fetchall()

    async def _parts(self) -> dict[str, Row]:
        cursor = await self._session.execute(statements.fixed("tell_check"), self._asked)
        return {
            part: json.loads(told, parse_float=Decimal) for part, told in await cursor.fetchall()
        }


def _by_check(rows: Iterable[Row]) -> dict[str, Row]:
    return {
        str(row["guest_check_id"]): {name: row[column] for name, column in _SUMS.items()}
        for row in rows
        if not row["is_cancelled"]
    }


def _changes(
    before: dict[str, Row], after: dict[str, Row], *, is_ranked: bool
) -> Iterable[tuple[str, Change]]:
    """Give what differs between two states; `is_ranked`: what is worth most first."""
    found: list[tuple[Decimal, str, Change]] = []
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, {}), after.get(name, {})
        for column in dict.fromkeys((*was, *now)):
            if was.get(column) != now.get(column):
                change = Change(column, shown(was.get(column)), shown(now.get(column)))
                found.append((_worth(was.get(column), now.get(column)), name, change))
    if is_ranked:
        found.sort(key=lambda one: -one[0])
    return ((name, change) for _, name, change in found)


def _worth(was: Any, now: Any) -> Decimal:
    both = [value if isinstance(value, int | Decimal) else 0 for value in (was, now)]
    return abs(Decimal(both[1]) - Decimal(both[0]))


def _chapter(
    one: LakeObject,
    read: Prepared | Permanent | None,
    outcome: str,
    rows: list[Row],
    changes: list[tuple[str, Change]],
    patched: int,
) -> Chapter:
    counted = [row for row in rows if not row["is_cancelled"]]
    sums = {
        name: sum((Decimal(row[column] or 0) for row in counted), Decimal())
        for name, column in _SUMS.items()
    }
    document = read.document if isinstance(read, Prepared) else None
    spoken = set(check_ids(read, full_only=True)) if isinstance(read, Prepared) else set()
    lost = Counter(
        row["object_key"]
        for row in rows
        if row["guest_check_id"] in spoken and (row["object_key"], row["version"]) != one.name
    )
    as_of = None
    if document:
        as_of = document.frame.as_of or document.identity.last_modified
    return Chapter(
        object_key=one.name[0],
        version=one.name[1],
        received_at=one.entry["received_at"] if one.entry else None,
        as_of=as_of,
        outcome=outcome,
        patched=patched,
        quarantined=tuple(
            {"path": bad.path, "id": bad.record_id, "code": bad.code}
            for bad in (read.quarantined if isinstance(read, Prepared) else ())
        ),
        lost_to=tuple(lost.most_common()),
        checks=len(counted),
        net=sums["net"],
        guests=sums["guests"],
        tax=sums["tax"],
        changes=tuple(changes),
    )
