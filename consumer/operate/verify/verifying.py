"""Verifies chosen store-days, portion by portion, and repairs them if told to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice

from consumer.load import statements
from consumer.load.database import open_loading_session, open_session
from consumer.operate.proof.means import Means, Place, open_means
from consumer.operate.verify.differences import Cause, Difference, Found, Kind, Proof
from consumer.operate.verify.plan import Chosen, days_of, portions, sampled, stores_of
from consumer.operate.verify.proving import prove
from consumer.operate.verify.repair import repair
from consumer.settings import ConsumerSettings

_KEPT_DIFFERENCES = 10_000
_REMEMBERED_PLACES = 100_000


@dataclass
class Verdict:
    """What was verified, and what was found; of very many differences the first ones."""

    store_days: int = 0
    documents: int = 0
    waiting: int = 0
    differences: list[Difference] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    mended: int = 0
    left: list[str] = field(default_factory=list)  # objects that `consumer reconcile` announces
    next_day: date | None = None  # where to go on after an interruption

    @property
    def is_equal(self) -> bool:
        """Whether the tables say what the lake says, after repairs."""
        return sum(self.counts.values()) == self.mended

    def add(self, proof: Proof, seen: dict[tuple[object, ...], None]) -> list[Difference]:
        """Take the result of a portion; return what was not found before."""
        self.documents += proof.documents
        self.waiting += proof.waiting
        # A check that two portions read is compared twice; they follow each other closely.
        new = [one for one in proof.differences if one.place not in seen]
        seen.update((one.place, None) for one in new)
        for place in [*islice(seen, max(0, len(seen) - _REMEMBERED_PLACES))]:
            del seen[place]
        for one in new:
            self.counts[one.kind] = self.counts.get(one.kind, 0) + 1
        self.differences += new[: _KEPT_DIFFERENCES - len(self.differences)]
        return new


class Verifying:
    """One run of `consumer verify`."""

    def __init__(self, settings: ConsumerSettings, chosen: Chosen, settled: timedelta) -> None:
        self._settings, self._chosen, self._settled = settings, chosen, settled
        self._seen: dict[tuple[object, ...], None] = {}  # the last of them
        self.verdict = Verdict()

    async def run(
        self,
        advance: Callable[[int, int], None],
        found: Callable[[list[Difference]], None],
        *,
        mends: bool = False,
    ) -> None:
        """Verify; `advance` is told of progress, `found` of what differs before it is mended.

        Raises:
            ConsumerError: a server does not answer; the verdict tells what was found until then.
        """
        chosen, verdict = self._chosen, self.verdict
        asked = chosen.stores, chosen.sources, self._settled
        async with open_means(self._settings, *asked) as means:
            await means.session.execute(statements.fixed("keep_items_before"))
            days = await days_of(chosen, means.listing, means.free, means.session)
            stores = await stores_of(chosen, means.free, means.session)
            take = portions if chosen.sample is None else sampled
            total = len(days) * max(1, len(stores)) if chosen.sample is None else chosen.sample
            async for portion in take(chosen, days, stores, means.listing):
                verdict.next_day = portion.first
                await self._verify(means, portion.places, found, mends=mends)
                verdict.store_days += len(portion.places)
                advance(verdict.store_days, max(total, verdict.store_days))
            if chosen.is_everything:
                undated: list[Place] = [(store, None) for store in sorted(stores)]
                await self._verify(means, undated, found, mends=mends)
                await self._verify_rest(means, found, mends=mends)
            verdict.next_day = None

    async def _verify(
        self,
        means: Means,
        places: list[Place],
        found: Callable[[list[Difference]], None],
        *,
        mends: bool,
    ) -> None:
        proof = await prove(means, places)
        new = self.verdict.add(proof, self._seen)
        if not new:
            return
        found(new)
        if mends:
            async with open_loading_session(self._settings) as session:
                self.verdict.left += await repair(session, means.reading, proof)
            after = {one.place for one in (await prove(means, places)).differences}
            self.verdict.mended += sum(one.place not in after for one in new)

    async def _verify_rest(
        self, means: Means, found: Callable[[list[Difference]], None], *, mends: bool
    ) -> None:
        """Compare what no single store-day tells: the dates of items, and exports that are gone."""
        proof = Proof()
        if any(source.holds_checks for source in means.sources):
            cursor = await means.session.execute(
                statements.fixed("compare_all_items"), {"stores": sorted(self._chosen.stores)}
            )
            async for row in cursor:
                one = Found.of(row).difference(
                    "menu_items", ("store_id", "menu_item_id"), Cause.BY_HAND
                )
                proof.differences.append(one)
        if not self._chosen.stores:
            for key in sorted(await means.free.gone()):
                proof.differences.append(Difference(Kind.GONE, None, None, {}, None, (), key))
        new = self.verdict.add(proof, self._seen)
        if new:
            found(new)
        items = [one for one in new if one.table == "menu_items"]
        if mends and items:
            await self._mend_items(means, items)
            self.verdict.mended += len(items)

    async def _mend_items(self, means: Means, items: list[Difference]) -> None:
        keys = {
            "stores": [one.key["store_id"] for one in items],
            "items": [one.key["menu_item_id"] for one in items],
        }
        cursor = await means.session.execute(statements.fixed("find_read_items"), keys)
        rows = await cursor.fetchall()
        async with open_session(self._settings) as session:
            for store, item, first, last in rows:
                asked = {"store": store, "item": item, "first": first, "last": last}
                await session.execute(statements.fixed("mend_item"), asked)
