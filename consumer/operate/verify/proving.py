"""Proves some store-days: compares the tables with what the lake says of them."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from consumer.load import statements
from consumer.operate.proof import scratch
from consumer.operate.proof.documents import Name
from consumer.operate.proof.gathering import Gathering
from consumer.operate.proof.means import Means, Place
from consumer.operate.verify.differences import Cause, Difference, Found, Kind, Proof
from consumer.rows.tables import DETAIL_LINES, GUEST_CHECKS, LIST_TABLES, TAXES
from schemas.codes import State

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
        self._found = Gathering(means, places)
        self.proof = Proof()

    async def compare(self) -> None:
        """Read, load and compare."""
        await self._found.run()
        self.proof.documents = self._found.document_count
        self.proof.waiting = self._found.waiting_count
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

    async def items(self) -> dict[str, list[Any]]:
        """Return the items of all that was read, column by column."""
        cursor = await self._session.execute(
            "SELECT store_id, menu_item_id, first_seen, last_seen FROM pg_temp.menu_items"
        )
        rows = await cursor.fetchall()
        names = ("stores", "items", "firsts", "lasts")
        return {name: [row[place] for row in rows] for place, name in enumerate(names)}

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
        if stored and stored not in self._found.listed:
            return Cause.OBJECT_GONE
        if lake is None and stored is None:
            return Cause.BY_HAND if found.bus_dt or found.expected is None else None
        if lake in self._found.unseen:
            return Cause.NEVER_ANNOUNCED
        read = self._found.objects.get(lake) if lake else None
        entry = read.entry if read else None
        if stored is None and entry and entry["state"] == State.DEAD_LETTERED:
            return Cause.NOT_LOADED
        return Cause.OLDER_DOCUMENT if stored and lake and stored != lake else Cause.BY_HAND

    async def _compare_ledger(self) -> None:
        differences = self.proof.differences
        for name, one in self._found.unseen.items():
            store = one.key.store_id
            told = {"store_id": store} if store else {}
            differences.append(
                Difference(Kind.UNSEEN, None, None, told, one.key.bus_dt, (), name[0])
            )
        asked = {"sources": [*self._means.sources]}
        cursor = await self._session.execute(statements.fixed("find_entries_of_days"), asked)
        keys = {key for key, _ in self._found.listed}
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
        wanted = {
            *self._found.unseen,
            *(name for check in proof.checks for name in speakers[check]),
        }
        objects = self._found.objects.values()
        proof.objects = [one for one in objects if one.name in wanted or proof.differs(one.key)]
