"""The story of a store-day, or of one of its checks: loaded again, document by document.

The documents are found as proofs find them, and loaded in the order in which they were received
into tables of the session's own. What the tables say after each is compared with what they said
before it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

_NEVER_TOLD = ["object_id", "as_of", "latest_credible", "removed_at", "patched", "store_id"]
_KEYS = ["guest_check_id", "guest_check_line_item_id", "tax_num"]
_LAST = datetime.max.replace(tzinfo=UTC)
_KEPT_BYTES = 256 << 20  # of rows: most stories are read once, the longest ones twice


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
        async with scratch.snapshot(means.session):
            told = await _speakers(means, subject)
        async with scratch.snapshot(means.session):
            return await _Telling(means, subject).tell(*told)


async def _speakers(means: Means, subject: Subject) -> tuple[list[LakeObject], dict[Name, int]]:
    """Return the documents that spoke of the subject, and how many of its checks they patched."""
    gathering = Gathering(means, [(subject.store, subject.day)])
    await gathering.run()
    asked = {"check_id": subject.check_id}
    cursor = await means.session.execute(statements.fixed("find_speakers"), asked)
    patched: dict[Name, int] = {
        (key, version): count for key, version, count in await cursor.fetchall()
    }
    spoke = [
        one
        for one in gathering.objects.values()
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

    async def tell(
        self, speakers: Sequence[LakeObject], patched: Mapping[Name, int]
    ) -> list[Chapter]:
        chapters: list[Chapter] = []
        before: dict[str, Row] = {}
        is_check = self._subject.check_id is not None
        async for one, read in self._means.reading.read_all(speakers):
            outcome = await self._load(read)
            rows = await self._rows()
            after = await self._parts() if is_check else by_check(rows)
            changes = changes_of(before, after, is_ranked=not is_check)
            chapters.append(chapter(one, read, outcome, rows, changes, patched[one.name]))
            before = after
        return chapters

    async def _load(self, read: Read) -> str:
        """Load a document, if it is one; return how that ended."""
        if isinstance(read, Prepared):
            states = await scratch.load(self._session, [read])
            return states.get(read.document.number, "refused by the database")
        return f"{read.code}: {read}" if isinstance(read, Permanent) else "gone"

    async def _rows(self) -> list[Row]:
        async with self._session.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(statements.fixed("tell_day"), self._asked)
            return await cursor.fetchall()

    async def _parts(self) -> dict[str, Row]:
        cursor = await self._session.execute(statements.fixed("tell_check"), self._asked)
        return {
            part: json.loads(told, parse_float=Decimal) for part, told in await cursor.fetchall()
        }
