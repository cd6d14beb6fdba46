"""Finds and loads all documents that may speak of some store-days, in a snapshot of the tables.

A check may be in the answers of several days and in exports. All that may speak of a check is
read: answers of the days on which it opened or closed, by the tables or the lake, the objects that
its rows come from, and exports by their content. Each answer is read for its own day too, so that
going through all days leaves no document out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime

from consumer.ingest.assembly import Prepared
from consumer.load import statements
from consumer.load.ledger import pruned_keys
from consumer.operate.proof import scratch
from consumer.operate.proof.documents import LakeObject, Name, name_of
from consumer.operate.proof.listing import Ledger, entry_of, has_no_say
from consumer.operate.proof.means import Means, Place
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey, parse_key
from schemas.layouts import DocumentKey
from schemas.registry import ENDPOINTS_BY_NAME, Source

_LOADED_BYTES = 16 << 20  # of rows, before they go to the database


class Gathering:
    """What speaks of some store-days, loaded into the session's own tables."""

    def __init__(self, means: Means, places: Collection[Place]) -> None:
        self._means, self._session = means, means.session
        self._places = places
        self._ledger = Ledger(means.session, means.bucket)
        self._read_days: set[tuple[Source, str, date]] = set()
        self.objects: dict[Name, LakeObject] = {}  # that were read and have a say
        self.listed: set[Name] = set()
        self.unseen: dict[Name, LakeObject] = {}  # by the ledger
        self.document_count = 0
        self.waiting_count = 0  # objects that may still be under way

    async def run(self) -> None:
        """Load all that speaks of the store-days.

        Raises:
            ConsumerError: S3 does not answer.
            psycopg.Error: PostgreSQL does not answer.
        """
        stores, days = [store for store, _ in self._places], [day for _, day in self._places]
        asked = {"stores": stores, "days": days}
        await self._session.execute(statements.fixed("add_compared_days"), asked)
        if self._means.check_sources:
            await self.choose_stored()
        loaded = await self._loaded_keys()
        answers: list[tuple[ObjectEvent, DocumentKey]] = []
        for source in self._means.sources:
            for store, day in self._places:
                known = loaded.get((source, store, day), set())
                answers += await self._answers(source, store, day, known)
        free = await self._means.free.find()
        await self._load([*answers, *((found.event, found.key) for found in free)])
        if self._means.check_sources:
            await self.choose_spoken([event.key for event, _ in answers])
            while further := await self._further():
                await self._load(further)

    async def choose_stored(self) -> None:
        """Choose checks that are compared, and so followed to other days, by what is stored."""
        await self._session.execute(statements.fixed("add_stored_checks"))

    async def choose_spoken(self, answers: Sequence[str]) -> None:
        """Choose further ones by what was loaded; `answers` are keys of the days' own answers."""
        # Of an answer all checks count, of other documents those of the days to compare.
        await self._session.execute(statements.fixed("add_spoken_checks"), {"answers": [*answers]})

    async def load(self, objects: Sequence[LakeObject]) -> None:
        """Load objects that were found, as many at once as memory allows."""
        waiting: list[Prepared] = []
        size = 0
        async for _, read in self._means.reading.read_all(objects):
            if not isinstance(read, Prepared):
                continue  # refused: it says nothing
            waiting.append(read)
            size += read.document.rows.byte_count
            if size >= _LOADED_BYTES:
                await scratch.load(self._session, waiting)
                waiting, size = [], 0
        await scratch.load(self._session, waiting)

    async def _loaded_keys(self) -> Mapping[tuple[str, str, date | None], set[str]]:
        asked = {"sources": [*self._means.sources]}
        cursor = await self._session.execute(statements.fixed("find_loaded_keys"), asked)
        found: defaultdict[tuple[str, str, date | None], set[str]] = defaultdict(set)
        async for *place, key in cursor:
            found[place[0], place[1], place[2]].add(key)
        return found

    async def _answers(
        self, source: Source, store: str, day: date | None, loaded: AbstractSet[str]
    ) -> Sequence[tuple[ObjectEvent, ApiKey]]:
        """Return the answers about a store-day, once; `loaded` are those that the ledger knows."""
        is_answer = day is not None and source.value in ENDPOINTS_BY_NAME
        if day is None or not is_answer or (source, store, day) in self._read_days:
            return []
        self._read_days.add((source, store, day))
        listing = self._means.listing
        found = (await listing.answers(source, day)).get(store, [])
        if loaded - {event.key for event, _ in found}:
            # They came after the day was listed and before the snapshot, or are gone.
            found = (await listing.answers(source, day, anew=True)).get(store, [])
        return found

    async def _further_answers(
        self, source: Source, store: str, day: date
    ) -> Sequence[tuple[ObjectEvent, ApiKey]]:
        if (source, store, day) in self._read_days:
            return []
        asked = {"source": source, "store": store, "day": day}
        cursor = await self._session.execute(statements.fixed("find_loaded_keys_of_day"), asked)
        loaded = {key for (key,) in await cursor.fetchall()}
        return await self._answers(source, store, day, loaded)

    async def _further(self) -> list[tuple[ObjectEvent, DocumentKey]]:
        """Return what else may speak of the checks to compare and was not read yet."""
        found: list[tuple[ObjectEvent, DocumentKey]] = []
        cursor = await self._session.execute(statements.fixed("find_further_days"))
        for store, day, key in await cursor.fetchall():
            named = parse_key(key) if key else None
            if day is not None:
                found += await self._further_answers(Source.GUEST_CHECKS, store, day)
            elif isinstance(named, ApiKey):
                place = named.store_id.strip(), named.bus_dt
                found += await self._further_answers(named.source, *place)
        found += [(one.event, one.key) for one in await self._means.free.find()]
        return [one for one in found if name_of(one[0]) not in self.listed]

    async def _load(self, listed: Iterable[tuple[ObjectEvent, DocumentKey]]) -> None:
        new = {name_of(event): (event, key) for event, key in listed}
        self.listed |= new.keys()
        objects = await self._with_a_say(new.values())
        self.objects |= {found.name: found for found in objects}
        self.document_count += len(objects)
        await self.load(objects)

    async def _with_a_say(
        self, listed: Collection[tuple[ObjectEvent, DocumentKey]]
    ) -> list[LakeObject]:
        """Leave out what was overwritten unread, came after the snapshot, or is under way."""
        entries = await self._ledger.entries(event.key for event, _ in listed)
        found = [
            LakeObject(event, key, entry_of(event, entries.get(event.key, ())))
            for event, key in listed
        ]
        known = [one for one in found if one.entry and not has_no_say(one.entry)]
        unknown = [one for one in found if one.entry is None]
        if not unknown:
            return known
        by_now = await Ledger(self._means.later, self._means.bucket).entries(
            one.event.key for one in unknown
        )
        young = datetime.now(UTC) - self._means.settled
        pruned = await pruned_keys(self._means.later, ((one.event, one.key) for one in unknown))
        for one in unknown:
            if entry_of(one.event, by_now.get(one.event.key, ())):
                continue
            if one.event.key in pruned:
                known.append(one)
                continue
            if one.event.event_time is None or one.event.event_time > young:
                self.waiting_count += 1
            else:
                self.unseen[one.name] = one
                known.append(one)
        return known
