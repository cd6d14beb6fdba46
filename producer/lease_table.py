"""The lease table: no two producers pull the same store at the same time.

One small object in the lake, changed by conditional writes only: of two that write at once, one is
refused and reads again. Its times are S3's own, so clocks of machines do not matter. A lease saves
double work; it does not protect data: a late answer has a key of its own, and the newest wins.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from producer.errors import LakeError, LakeUnavailable, LeaseLost

#: Outside `raw/`, so that no event announces it.
LEASE_TABLE_KEY = "logs/producer/rounds.json"
# S3's time has whole seconds, so a lease may look a second older than it is.
_CLOCK_STEP_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 0.2
_STORES_LOGGED_COUNT = 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object, or the absence of one, with what a conditional write needs."""

    body: bytes | None
    tag: str | None  # changes with every write
    now: datetime  # the lake's own time, aware


class LeaseTable(Protocol):
    """A lake with conditional writes. A call that fails raises a LakeError."""

    async def read_tagged(self, key: str) -> Tagged:
        """Return an object with its tag."""
        ...

    async def write_if(self, key: str, body: bytes, tag: str | None) -> bool:
        """Write an object if its tag is still `tag` (None: missing); return whether it was."""
        ...


class _Lease(BaseModel):
    until: AwareDatetime
    stores: list[str]


_TABLE = TypeAdapter(dict[str, _Lease])


class Leases:
    """The stores that this process, named uniquely by `owner`, may pull now."""

    def __init__(self, lease_table: LeaseTable, owner: str, lease_seconds: float) -> None:
        self._lease_table = lease_table
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._stores: frozenset[str] = frozenset()
        self._until = 0.0

    @asynccontextmanager
    async def held(self, stores: Iterable[str]) -> AsyncIterator[tuple[str, ...]]:
        """Lease the stores that no other producer holds for the block; yields them in order."""
        wanted = tuple(stores)
        await self._claim(wanted)
        ours = tuple(store for store in wanted if store in self._stores)
        if left := [store for store in wanted if store not in self._stores]:
            log.warning(
                "stores_leased_elsewhere", count=len(left), stores=left[:_STORES_LOGGED_COUNT]
            )
        renewing = asyncio.create_task(self._keep_renewing(), name="lease-renewal")
        try:
            yield ours
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
            try:
                await self._claim(())
            except LakeError as error:
                log.warning("lease_not_released", code=error.code, outcome="it expires by itself")

    def check(self, store_id: str) -> None:
        """Raise LeaseLost if the lease on a store was not renewed in time."""
        if store_id not in self._stores or time.monotonic() >= self._until:
            raise LeaseLost("the store's lease was not renewed in time; the next round asks again")

    async def _keep_renewing(self) -> None:
        while before := self._stores:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                await self._claim(before)
            except LakeError as error:
                log.warning("lease_not_renewed", code=error.code, reason=str(error))
            if lost := before - self._stores:
                log.warning("lease_lost", stores=sorted(lost)[:_STORES_LOGGED_COUNT])

    async def _claim(self, stores: Iterable[str]) -> None:
        """Write those of `stores` that are free as our leases, in place of our old ones."""
        for _ in range(20):
            # Taken before the read: our own idea of the expiry is never later than the one written.
            asked = time.monotonic()
            seen = await self._lease_table.read_tagged(LEASE_TABLE_KEY)
            table = {
                owner: lease
                for owner, lease in _leases_in(seen.body).items()
                if owner != self._owner and lease.until > seen.now
            }
            ours = frozenset(stores).difference(*(lease.stores for lease in table.values()))
            if ours:
                until = seen.now + timedelta(seconds=self._lease_seconds)
                table[self._owner] = _Lease(until=until, stores=sorted(ours))
            # The SDK repeats a write whose answer got lost, and that is refused; the next attempt
            # then reads our own leases and writes the same again.
            body = _TABLE.dump_json(table)
            if await self._lease_table.write_if(LEASE_TABLE_KEY, body, seen.tag):
                self._stores = ours
                self._until = asked + self._lease_seconds - _CLOCK_STEP_SECONDS
                return
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter
        raise LakeUnavailable(f"{LEASE_TABLE_KEY} was changed by others at every attempt")


def _leases_in(body: bytes | None) -> dict[str, _Lease]:
    try:
        return _TABLE.validate_json(body or b"{}")
    except ValidationError:
        log.warning("lease_table_unreadable", outcome="it is replaced")
        return {}
