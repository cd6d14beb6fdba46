"""Which store-days are proven, in portions that keep memory and scratch space small."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg import AsyncConnection

from consumer.load import statements
from consumer.operate.proof.free_documents import FreeDocuments
from consumer.operate.proof.listing import Listing
from consumer.operate.proof.means import Place
from schemas.registry import ENDPOINTS_BY_NAME, Source

_PORTION_BYTES = 32 << 20  # of documents, as stored
_PORTION_PLACES = 200  # store-days at once
_WINDOW_DAYS = 7
_HALF_LIFE_DAYS = 30  # a day that much older is sampled half as often


@dataclass(frozen=True, slots=True)
class Portion:
    """Store-days that are proven at once."""

    places: list[Place]
    first: date | None  # all days before it are done; None: no order


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was asked for; empty or None: all."""

    stores: frozenset[str] = frozenset()
    first: date | None = None
    last: date | None = None
    sources: tuple[Source, ...] = tuple(Source)
    sample: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether all days of the chosen stores are proven."""
        return self.first is None and self.last is None and self.sample is None

    def has(self, day: date) -> bool:
        """Say whether a day was asked for."""
        return (self.first or day) <= day <= (self.last or day)


async def days_of(
    chosen: Chosen, listing: Listing, free: FreeDocuments, session: AsyncConnection[Any]
) -> list[date]:
    """Return the days to prove, the first one first: those of the lake and those of the tables."""
    if chosen.first and chosen.last:
        count = (chosen.last - chosen.first).days + 1
        return [chosen.first + timedelta(days=number) for number in range(count)]
    found = await listing.days(_endpoints(chosen)) | free.days
    cursor = await session.execute(
        statements.fixed("find_stored_days"), {"stores": sorted(chosen.stores) or None}
    )
    found |= {day for (day,) in await cursor.fetchall()}
    return sorted(day for day in found if chosen.has(day))


async def stores_of(chosen: Chosen, free: FreeDocuments, session: AsyncConnection[Any]) -> set[str]:
    """Return the stores to prove, as far as tables and exports tell."""
    if chosen.stores:
        return set(chosen.stores)
    cursor = await session.execute(statements.fixed("find_stored_stores"))
    return {store for (store,) in await cursor.fetchall()} | free.store_names


async def portions(
    chosen: Chosen, days: Sequence[date], stores: Collection[str], listing: Listing
) -> AsyncIterator[Portion]:
    """Yield store-days, by days and then by stores, a portion at a time."""
    for start in range(0, len(days), _WINDOW_DAYS):
        window = days[start : start + _WINDOW_DAYS]
        await listing.list_ahead((source, day) for source in _endpoints(chosen) for day in window)
        names = set(stores)
        sizes: defaultdict[Place, int] = defaultdict(int)
        for source in _endpoints(chosen):
            for day in window:
                for store, answers in (await listing.answers(source, day)).items():
                    if not chosen.stores or store in chosen.stores:
                        names.add(store)
                        sizes[store, day] += sum(event.size_bytes or 0 for event, _ in answers)
        for places in _cut([(store, day) for store in sorted(names) for day in window], sizes):
            yield Portion(places, window[0])


def _cut(places: Iterable[Place], sizes: Mapping[Place, int]) -> Iterator[list[Place]]:
    portion: list[Place] = []
    size = 0
    for place in places:
        portion.append(place)
        size += sizes.get(place, 0)
        if size >= _PORTION_BYTES or len(portion) >= _PORTION_PLACES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


async def sampled(
    chosen: Chosen, days: Sequence[date], stores: Collection[str], listing: Listing
) -> AsyncIterator[Portion]:
    """Yield store-days at random, recent ones more often, each a portion, by day."""
    if not days:
        return
    wanted: set[tuple[str, date]] = set()
    newest = days[-1]
    weights = [0.5 ** ((newest - day).days / _HALF_LIFE_DAYS) for day in days]
    for _ in range(20 * (chosen.sample or 0)):
        [day] = random.choices(days, weights)  # noqa: S311 - a sample, no secret
        found = set(stores)
        for source in _endpoints(chosen):
            found |= (await listing.answers(source, day)).keys()
        known = sorted(found & chosen.stores if chosen.stores else found)
        if known:
            wanted.add((random.choice(known), day))  # noqa: S311 - likewise
        if len(wanted) >= (chosen.sample or 0):
            break
    for place in sorted(wanted, key=lambda place: place[::-1]):
        yield Portion([place], None)


def _endpoints(chosen: Chosen) -> Iterable[Source]:
    return [source for source in chosen.sources if source.value in ENDPOINTS_BY_NAME]
