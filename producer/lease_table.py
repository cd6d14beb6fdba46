"""Whose stores are whose: no two producers run a round of one store at the same time.

All of them share one small object in the lake, the lease_table, and change it only by conditional
writes: of two who write at once, one is refused and looks again. A claim ends by itself unless it
is renewed, so the stores of a producer that was killed are free again after a while. Times on the
lease_table are S3's own, read from its answers, so the clocks of machines do not matter.

A claim guards against asking twice, not against wrong data: an answer that is written after its
claim ended has a key of its own, and the newest answer wins in the tables.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from producer.errors import LakeError, LakeUnavailableError, LeaseLostError

#: Outside `raw/`: nothing announces it.
ROSTER_KEY = "logs/producer/rounds.json"
# S3 tells its time in whole seconds, so a claim may look a second older than it is.
_CLOCK_STEP_SECONDS = 1.0
_ATTEMPTS_COUNT = 20
_LONGEST_PAUSE_SECONDS = 0.2
_STORES_LOGGED_COUNT = 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object as it is now.

    Attributes:
        body: Its bytes; None when there is no such object.
        tag: What changes with every write; None when there is no such object.
        now: The lake's own time, aware.
    """

    body: bytes | None
    tag: str | None
    now: datetime


class LeaseTable(Protocol):
    """A lake that writes an object only if nobody else has written it meanwhile."""

    async def read_tagged(self, key: str) -> Tagged:
        """Return an object with its tag.

        Raises:
            LakeError: It could not be read.
        """
        ...

    async def write_if(self, key: str, body: bytes, tag: str | None) -> bool:
        """Write an object that still has this tag, or is still missing; say whether it was.

        Raises:
            LakeError: It was not written, or not provably.
        """
        ...


class Leases:
    """The stores that this process may pull now.

    Args:
        lease_table: Shared by all producers of the lake.
        owner: This process, unlike any other that ever was.
        lease_seconds: How long a claim lasts that is not renewed, above 1.
    """

    def __init__(self, lease_table: LeaseTable, owner: str, lease_seconds: float) -> None:
        self._lease_table = lease_table
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._stores: frozenset[str] = frozenset()
        self._until = 0.0

    @asynccontextmanager
    async def held(self, stores: Iterable[str]) -> AsyncIterator[tuple[str, ...]]:
        """Hold the stores that nobody else holds, while the block runs; yields them in order.

        Raises:
            LakeError: The lease_table cannot be read or written.
        """
        wanted = tuple(stores)
        await self._claim(wanted)
        ours = tuple(store for store in wanted if store in self._stores)
        left = [store for store in wanted if store not in self._stores]
        if left:
            log.warning("stores.left", count=len(left), stores=left[:_STORES_LOGGED_COUNT],
                        outcome="another producer pulls them now")  # fmt: skip
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            yield ours
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
            await self._release()

    def check(self, store_id: str) -> None:
        """Make sure that a store is still ours.

        Raises:
            LeaseLostError: The claim could not be renewed in time.
        """
        if store_id not in self._stores or time.monotonic() >= self._until:
            raise LeaseLostError(
                "the store may be another producer's by now, since S3 did not renew our lease in "
                "time; the next round asks again"
            )

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            if not self._stores:
                return
            before = self._stores
            try:
                await self._claim(before)
            except LakeError as exc:
                log.warning("lease.not_renewed", code=exc.code, reason=str(exc))
            if lost := before - self._stores:
                log.warning("lease.lost", stores=sorted(lost)[:_STORES_LOGGED_COUNT])

    async def _release(self) -> None:
        try:
            await self._claim(())
        except LakeError as exc:
            log.warning("lease.not_released", code=exc.code, outcome="it ends by itself")

    async def _claim(self, stores: Iterable[str]) -> None:
        """Put those of `stores` that are free in the lease table, as all that is ours."""
        for _ in range(_ATTEMPTS_COUNT):
            # Before the table is read: our own end of the claim is never after the one written.
            asked = time.monotonic()
            seen = await self._lease_table.read_tagged(ROSTER_KEY)
            others = dict(_claims(seen, besides=self._owner))
            taken = {store for claim in others.values() for store in claim["stores"]}
            ours = frozenset(stores) - taken
            until = seen.now + timedelta(seconds=self._lease_seconds)
            mine = {self._owner: {"until": until.isoformat(), "stores": sorted(ours)}}
            body = json.dumps({**others, **(mine if ours else {})}, ensure_ascii=False)
            # A write whose answer got lost is refused when the SDK repeats it: the next look
            # finds our claim and replaces it by the same.
            if await self._lease_table.write_if(ROSTER_KEY, body.encode(), seen.tag):
                self._stores = ours
                self._until = asked + self._lease_seconds - _CLOCK_STEP_SECONDS
                return
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter
        raise LakeUnavailableError(f"{ROSTER_KEY} was changed by others at every attempt")


def _claims(seen: Tagged, *, besides: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the claims of others that have not ended; a lease table that is broken has none."""
    try:
        for owner, claim in json.loads(seen.body or b"{}").items():
            until = datetime.fromisoformat(claim["until"])
            if owner != besides and until > seen.now and isinstance(claim["stores"], list):
                yield owner, claim
    except (ValueError, LookupError, AttributeError, TypeError) as exc:
        log.warning(
            "lease_table.unreadable", reason=type(exc).__name__, outcome="it is written anew"
        )
