"""Proves some store-days: brings what the lake says of them beside the tables, and compares.

A check may be in the answers of several days and in exports. All that may speak of a check to
compare is read: answers of the days on which it opened or closed, by the tables or the lake, the
objects that its rows come from, and exports by their content. Each answer is read for its own day
too, so that proving all days leaves no document out.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from consumer.ingest.assembly import Prepared
from consumer.load import statements
from consumer.load.ledger import pruned_keys
from consumer.operate.proof import scratch
from consumer.operate.proof.differences import Cause, Difference, Found, Kind, Name
from consumer.operate.proof.documents import LakeObject, Ledger, entry_of, has_no_say
from consumer.operate.proof.means import Means, Place, Proof
from consumer.rows.tables import DETAIL_LINES, GUEST_CHECKS, LIST_TABLES, TAXES
from schemas.codes import State
from schemas.envelopes import ObjectEvent
from schemas.key_templates import DocumentKey
from schemas.keys import ApiKey, parse_key
from schemas.registry import ENDPOINTS_BY_NAME, Source

_LOADED_BYTES = 16 << 20  # of rows, before they go to the database
_ITEM_KEY = ("store_id", "menu_item_id")


async def prove(means: Means, places: Collection[Place]) -> Proof:
    """Compare the tables with the lake for some store-days. Reads only.

    Raises:
        ConsumerError: S3 does not answer.
        psycopg.Error: PostgreSQL does not answer.
    """
    while True:
        async with scratch.snapshot(means.session):
            # The first query takes the snapshot. What is listed from now on is no older.
            unlisted = await means.free.unlisted()
            if not unlisted:
                proving = Proving(means, places)
                await proving.compare()
                items = await proving.items()
                break
        await means.free.list_more(unlisted)
    await means.session.execute(statements.fixed("keep_items"), items)
    return proving.proof


class Proving:
    """One comparison, inside a snapshot of the tables."""

    def __init__(self, means: Means, places: Collection[Place]) -> None:
        self._means, self._session = means, means.session
        self._places = places
        self._ledger = Ledger(means.session, means.bucket)
        self._objects: dict[Name, LakeObject] = {}  # that have a say
        self._listed: set[Name] = set()
        self._unseen: dict[Name, LakeObject] = {}
        self._read_days: set[tuple[Source, str, date]] = set()
        self.proof = Proof()

    @property
    def objects(self) -> list[LakeObject]:
        """All objects that were read and have a say."""
        return list(self._objects.values())

    async def compare(self) -> None:
        """Read, load and compare."""
        await self.gather()
        for table in (GUEST_CHECKS, TAXES, DETAIL_LINES) if self._means.check_sources else ():
            await self._compare(
                statements.for_table("compare_checks", table), table.name, table.key
            )
        for source in self._means.sources:
            if source in LIST_TABLES:
                table = LIST_TABLES[source]
                await self._compare(
                    statements.for_table("compare_rows", table), table.name, table.key
                )
        if self._means.check_sources:
            await self._compare(statements.fixed("compare_items"), "menu_items", _ITEM_KEY)
        await self._compare_ledger()
        await self._find_objects_to_repair()

    async def gather(self) -> None:
        """Load all that speaks of the store-days into the session's own tables."""
        stores, days = [store for store, _ in self._places], [day for _, day in self._places]
        asked = {"stores": stores, "days": days}
        await self._session.execute(statements.fixed("add_compared_days"), asked)
        if self._means.check_sources:
            await self._session.execute(statements.fixed("add_stored_checks"))
        answers: list[tuple[ObjectEvent, DocumentKey]] = []
        for source in self._means.sources:
            for store, day in self._places:
                answers += await self._answers(source, store, day)
        free = await self._means.free.find()
        await self._load([*answers, *((found.event, found.key) for found in free)])
        if self._means.check_sources:
            # Of an answer all checks count, of other documents those of the days to compare.
            keys = {"answers": [event.key for event, _ in answers]}
            await self._session.execute(statements.fixed("add_spoken_checks"), keys)
            while further := await self._further():
                await self._load(further)

    async def items(self) -> dict[str, list[Any]]:
        """Return the items of all that was read, column by column."""
        cursor = await self._session.execute(
            "SELECT store_id, menu_item_id, first_seen, last_seen FROM pg_temp.menu_items"
        )
        rows = await cursor.fetchall()
        names = ("stores", "items", "firsts", "lasts")
        return {name: [row[place] for row in rows] for place, name in enumerate(names)}

    async def _answers(
        self, source: Source, store: str, day: date | None
    ) -> Sequence[tuple[ObjectEvent, ApiKey]]:
        is_answer = day is not None and source.value in ENDPOINTS_BY_NAME
        if day is None or not is_answer or (source, store, day) in self._read_days:
            return []
        self._read_days.add((source, store, day))
        listing, place = self._means.listing, {"source": source, "store": store, "day": day}
        cursor = await self._session.execute(statements.fixed("find_loaded_keys"), place)
        loaded = {key for (key,) in await cursor.fetchall()}
        found = (await listing.answers(source, day)).get(store, [])
        if loaded - {event.key for event, _ in found}:
            # They came after the day was listed and before the snapshot, or are gone.
            found = (await listing.answers(source, day, anew=True)).get(store, [])
        return found

    async def _further(self) -> list[tuple[ObjectEvent, DocumentKey]]:
        """Return what else may speak of the checks to compare and was not read yet."""
        found: list[tuple[ObjectEvent, DocumentKey]] = []
        cursor = await self._session.execute(statements.fixed("find_further_days"))
        for store, day, key in await cursor.fetchall():
            named = parse_key(key) if key else None
            if day is not None:
                found += await self._answers(Source.GUEST_CHECKS, store, day)
            elif isinstance(named, ApiKey):
                found += await self._answers(named.source, named.store_id.strip(), named.bus_dt)
        found += [(one.event, one.key) for one in await self._means.free.find()]
        return [one for one in found if _name(one[0]) not in self._listed]

    async def _load(self, listed: Iterable[tuple[ObjectEvent, DocumentKey]]) -> None:
        new = {_name(event): (event, key) for event, key in listed}
        self._listed |= new.keys()
        objects = await self._with_a_say(new.values())
        self._objects |= {found.name: found for found in objects}
        waiting: list[Prepared] = []
        size = 0
        async for _, read in self._means.reading.read_all(objects):
            self.proof.documents += 1
            if not isinstance(read, Prepared):
                continue  # refused: it says nothing
            waiting.append(read)
            size += read.document.rows.byte_count
            if size >= _LOADED_BYTES:
                await scratch.load(self._session, waiting)
                waiting, size = [], 0
        await scratch.load(self._session, waiting)

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
                self.proof.waiting += 1
            else:
                self._unseen[one.name] = one
                known.append(one)
        return known

    async def _compare(self, statement: Any, table: str, key: Collection[str]) -> None:
        cursor = await self._session.execute(statement)
        async for row in cursor:
            found = Found.of(row)
            difference = found.difference(table, key, self._cause(found))
            self.proof.differences.append(difference)
            if "guest_check_id" in difference.key and difference.cause is not Cause.OBJECT_GONE:
                told = difference.key
                self.proof.checks.add((told["store_id"], told["guest_check_id"]))

    def _cause(self, found: Found) -> Cause | None:
        stored, lake = found.stored_name, found.lake_name
        if stored and stored not in self._listed:
            return Cause.OBJECT_GONE
        if lake is None and stored is None:
            return Cause.BY_HAND if found.bus_dt or found.expected is None else None
        if lake in self._unseen:
            return Cause.NEVER_ANNOUNCED
        entry = self._objects[lake].entry if lake in self._objects else None
        if stored is None and entry and entry["state"] == State.DEAD_LETTERED:
            return Cause.NOT_LOADED
        return Cause.OLDER_DOCUMENT if stored and lake and stored != lake else Cause.BY_HAND

    async def _compare_ledger(self) -> None:
        differences = self.proof.differences
        for name, one in self._unseen.items():
            store = one.key.store_id
            told = {"store_id": store} if store else {}
            differences.append(
                Difference(Kind.UNSEEN, None, None, told, one.key.bus_dt, (), name[0])
            )
        asked = {"sources": [*self._means.sources]}
        cursor = await self._session.execute(statements.fixed("find_entries_of_days"), asked)
        keys = {key for key, _ in self._listed}
        for key, _, store, day in await cursor.fetchall():
            # An object that was overwritten is missed only where rows still rest on it.
            if key not in keys:
                told = {"store_id": store}
                differences.append(Difference(Kind.GONE, None, None, told, day, (), key))

    async def _find_objects_to_repair(self) -> None:
        """Find every document that speaks of what differs, and checks whose ledger row is lost."""
        proof = self.proof
        if self._means.check_sources:
            cursor = await self._session.execute(statements.fixed("find_unowned_checks"))
            proof.checks.update(await cursor.fetchall())
        speakers: defaultdict[tuple[str, int], set[Name]] = defaultdict(set)
        if proof.checks:
            cursor = await self._session.execute(
                "SELECT store_id, guest_check_id, object_key, version FROM spoken"
            )
            async for store, check_id, *name in cursor:
                speakers[store, check_id].add((name[0], name[1]))
        wanted = {name for check in proof.checks for name in speakers[check]} | self._unseen.keys()
        proof.objects = [
            one for one in self._objects.values() if one.name in wanted or proof.differs(one.key)
        ]


def _name(event: ObjectEvent) -> Name:
    return event.key, event.version_id or event.etag or ""
