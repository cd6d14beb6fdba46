"""Documents whose keys do not say what they hold, exports above all: found by their content.

Each is read once, and what it speaks of is kept in the scratch session. With chosen stores, those
that the ledger knows to be of another one are not read.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from consumer.aws.s3 import Lake
from consumer.ingest.assembly import Prepared
from consumer.load import statements
from consumer.operate.proof.documents import LakeObject, Reading, check_ids
from consumer.operate.proof.listing import Ledger, entry_of, has_no_say
from schemas.envelopes import ObjectEvent
from schemas.keys import API_PREFIX, ApiKey
from schemas.layouts import Layout
from schemas.registry import Source

_EVER = datetime.min.replace(tzinfo=UTC)
_OVERLAP = timedelta(minutes=1)  # clocks differ


@dataclass
class FreeDocuments:
    """What is known of them, in tables of the scratch session."""

    session: AsyncConnection[Any]
    lake: Lake
    layout: Layout
    reading: Reading
    stores: frozenset[str]  # empty: all
    sources: Sequence[Source]

    def __post_init__(self) -> None:
        self.days: set[date] = set()
        self.store_names: set[str] = set()
        self.names: set[tuple[str, str]] = set()
        self._asked_for: set[str] = set()
        self._since = _EVER

    async def list_all(self) -> None:
        """Read what they speak of, once."""
        # What began before and commits later has a later commit time than this.
        self._since = datetime.now(UTC) - _OVERLAP
        for prefix in self.layout.free_prefixes:
            async for page in self.lake.versions(prefix):
                await self._add(page)

    async def unlisted(self) -> set[str]:
        """Return the keys that the tables stand on and nobody had listed. Inside a snapshot."""
        # Of an object that is gone there is nothing to list, however often it is asked for.
        return await self._loaded_since(self._since) - self._asked_for

    async def gone(self) -> set[str]:
        """Return the keys of all that was loaded and is not in the lake."""
        loaded = await self._loaded_since(_EVER)
        # Consumers may have loaded some since they were last asked for.
        await self.list_more(loaded & await self.unlisted())
        return loaded - {key for key, _ in self.names}

    async def _loaded_since(self, since: datetime) -> set[str]:
        asked = {"since": since, "sources": [*self.sources], "api_prefix": API_PREFIX}
        cursor = await self.session.execute(statements.fixed("find_free_entries"), asked)
        return {key for (key,) in await cursor.fetchall()} - {key for key, _ in self.names}

    async def list_more(self, keys: Iterable[str]) -> None:
        """Read what objects speak of that came after all were listed."""
        for key in keys:
            self._asked_for.add(key)
            async for page in self.lake.versions(key):
                await self._add([event for event in page if event.key == key])

    async def find(self) -> list[LakeObject]:
        """Return those that are of the days to compare, or speak of the checks to compare."""
        asked = {"sources": [*self.sources]}
        cursor = await self.session.execute(statements.fixed("find_free_documents"), asked)
        found = []
        for told, object_key, _ in await cursor.fetchall():
            time = datetime.fromisoformat(told.pop("event_time"))
            key = self.layout.read(object_key)
            if key is not None:
                found.append(LakeObject(ObjectEvent(**told, event_time=time), key))
        return found

    async def _add(self, page: Iterable[ObjectEvent]) -> None:
        wanted = []
        for event in page:
            key = self.layout.read(event.key)
            if key and not isinstance(key, ApiKey) and key.source in self.sources:
                wanted.append(LakeObject(event, key))
        if not wanted:
            return
        ledger = Ledger(self.session, wanted[0].event.bucket)
        entries = await ledger.entries(found.event.key for found in wanted)
        unread = []
        for found in wanted:
            entry = entry_of(found.event, entries.get(found.event.key, ()))
            told = entry["store_id"] if entry and entry["was_read"] else None
            store = found.key.store_id or told
            if found.name in self.names or has_no_say(entry) or not self._is_wanted(store):
                continue
            self.names.add(found.name)
            if found.key.store_id and found.key.bus_dt and not found.key.source.holds_checks:
                await self._keep(found, found.key.store_id.strip(), [found.key.bus_dt], [])
            else:
                unread.append(LakeObject(found.event, found.key, entry))
        async for found, prepared in self.reading.read_all(unread):
            if isinstance(prepared, Prepared):
                document = prepared.document
                if self._is_wanted(document.frame.store_id):
                    ids = sorted(check_ids(prepared))
                    await self._keep(found, document.frame.store_id, document.days, ids)

    def _is_wanted(self, store: str | None) -> bool:
        return not self.stores or not store or store.strip() in self.stores

    async def _keep(
        self, found: LakeObject, store: str, days: Collection[date], check_ids: Collection[int]
    ) -> None:
        self.days.update(days)
        self.store_names.add(store)
        told = asdict(found.event)
        time = found.event.event_time
        row = {
            "event": Jsonb(told | {"event_time": time.isoformat() if time else None}),
            "object_key": found.event.key,
            "source": found.key.source.value,
            "store_id": store,
            "days": [*days],
            "guest_check_ids": [*check_ids],
        }
        await self.session.execute(statements.fixed("add_free_document"), row)
