"""The story of a store-day, or of one of its checks: loaded again, document by document.

The documents are found as proofs find them, and loaded in the order in which they were received
into tables of the session's own. What the tables say after each is compared with what they said
before it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from psycopg.rows import dict_row

from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.load import statements
from consumer.operate.history.chapters import Chapter, Row, by_check, changes_of, chapter
from consumer.operate.proof import scratch
from consumer.operate.proof.documents import LakeObject, Name, Read
from consumer.operate.proof.gathering import Gathering
from consumer.operate.proof.means import Means, open_means
from consumer.settings import ConsumerSettings
from schemas.registry import Source

# Columns that tell how a row was read, or which one it is.
_NEVER_TOLD = [
    *("object_id", "as_of", "latest_credible", "removed_at", "patched", "store_id"),
    *("content_digest", "digest_object_id"),
    *("guest_check_id", "guest_check_line_item_id", "tax_num"),
]
_LAST = datetime.max.replace(tzinfo=UTC)
_KEPT_BYTES = 256 << 20  # of objects: most stories fetch each of theirs once


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose story is told."""

    store: str
    day: date
    check_id: int | None = None


async def tell(settings: ConsumerSettings, subject: Subject) -> list[Chapter]:
    """Return the story, the document that was received first at the start.

    Raises:
        ConsumerError: a server does not answer.
    """
    sources = [source for source in Source if source.holds_checks]
    about = frozenset((subject.store,)), sources, timedelta()
    async with open_means(settings, *about, kept_bytes=_KEPT_BYTES) as means:
        telling = _Telling(means, subject)
        while True:
            async with scratch.snapshot(means.session):
                await telling.run()
                if not telling.late:
                    return await telling.story()
            # Others spoke of it, between those of its day: told once more, in their order.
            telling = _Telling(means, subject, telling.late)


def _order(one: LakeObject) -> tuple[datetime, str]:
    known = one.entry["received_at"] if one.entry else one.event.event_time
    return known or _LAST, one.event.key


class _Telling(Gathering):
    """Loads the documents of the day one by one, and writes down what each has changed.

    `more` are documents of other days that speak of the subject, too. `late` are those of which it
    learned only when the story was told.
    """

    def __init__(self, means: Means, subject: Subject, more: Sequence[LakeObject] = ()) -> None:
        super().__init__(means, [(subject.store, subject.day)])
        self._subject, self._more = subject, more
        self._has_begun = False
        self._chapters: dict[Name, Chapter] = {}
        self._before: dict[str, Row] = {}
        self.late: list[LakeObject] = []

    async def choose_stored(self) -> None:
        """Choose the check; without one, those that are stored as opened on the day."""
        if self._subject.check_id is None:
            await super().choose_stored()
            return
        asked = {"store": self._subject.store, "check_id": self._subject.check_id}
        await self._session.execute(statements.fixed("add_compared_check"), asked)

    async def choose_spoken(self, answers: Sequence[str]) -> None:  # noqa: ARG002 - of no day more
        """Choose those that opened on the day, by the documents."""
        if self._subject.check_id is None:
            await super().choose_spoken(())

    async def load(self, objects: Sequence[LakeObject]) -> None:
        """Tell the day's own documents, in the order in which they came; note who else speaks."""
        if not self._has_begun:
            self._has_begun = True
            known = {one.name: one for one in (*objects, *self._more)}
            await self._tell(sorted(known.values(), key=_order))
            return
        cursor = await self._session.execute("SELECT guest_check_id FROM compared_checks")
        compared = {check_id for (check_id,) in await cursor.fetchall()}
        reading = self._means.reading
        others = [one for one in objects if one.name not in self._chapters]
        late = [one for one in others if compared & await reading.check_ids(one)]
        self.late += late
        # Loaded, since they may tell of further days.
        async for _, read in reading.read_in_turn(late, self._session):
            await self._load_one(read)

    async def story(self) -> list[Chapter]:
        """Return the chapters of those that spoke of the subject."""
        asked = {"check_id": self._subject.check_id}
        cursor = await self._session.execute(statements.fixed("find_speakers"), asked)
        patched = {(key, version): count for key, version, count in await cursor.fetchall()}
        is_day = self._subject.check_id is None
        day = {name for name, one in self.objects.items() if one.key.bus_dt == self._subject.day}
        return [
            replace(one, patched=patched.get(name, 0))
            for name, one in self._chapters.items()
            # An answer of the day that says nothing, or is refused, belongs to its story too.
            if name in patched or (is_day and name in day)
        ]

    async def _tell(self, objects: Sequence[LakeObject]) -> None:
        is_check = self._subject.check_id is not None
        async for one, read in self._means.reading.read_in_turn(objects, self._session):
            outcome = await self._load_one(read)
            rows = await self._rows()
            after = await self._parts() if is_check else by_check(rows)
            changes = changes_of(self._before, after, is_ranked=not is_check)
            self._chapters[one.name] = chapter(one, read, outcome, rows, changes)
            self._before = after

    async def _load_one(self, read: Read) -> str:
        """Load a document, if it is one; return how that ended."""
        if isinstance(read, Prepared):
            states = await scratch.load(self._session, [read])
            return states.get(read.document.number, "refused by the database")
        return f"{read.code}: {read}" if isinstance(read, Permanent) else "gone"

    async def _rows(self) -> list[Row]:
        async with self._session.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(statements.fixed("tell_day"), self._asked())
            return await cursor.fetchall()

    async def _parts(self) -> dict[str, Row]:
        cursor = await self._session.execute(statements.fixed("tell_check"), self._asked())
        return {
            part: json.loads(told, parse_float=Decimal) for part, told in await cursor.fetchall()
        }

    def _asked(self) -> dict[str, object]:
        subject = self._subject
        told = {"store": subject.store, "day": subject.day, "check_id": subject.check_id}
        return told | {"hidden": _NEVER_TOLD}
