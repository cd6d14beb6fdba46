"""A batcher in virtual time, and a database that takes its batches."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from consumer.errors import LeaseLost, Permanent
from consumer.load.batcher import Batcher, BatchLimits
from consumer.load.document import ChangedMeanwhile, LoadRequest
from schemas.codes import ErrorCode, State
from tests.support.consumer_fakes import now
from tests.support.samples import checks, full_check, staged

REJECTED = Permanent(ErrorCode.DATA_REJECTED, "a value out of range")


def document(
    name: str = "a", rows: int = 1, number: int = 0, is_wanted: Callable[[], bool] = lambda: True
) -> LoadRequest:
    """Make a document with so many rows; another number is another version of its object."""
    records = [full_check(row) for row in range(rows)]
    found = staged(checks(*records), key=f"raw/erp/{name}.json", number=number)
    return LoadRequest(found, is_wanted)


class Database:
    """Takes batches, slowly; documents whose name starts with `bad` are rejected.

    Those that start with `stale` have left records unread that have changed since then.
    """

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds
        self.batches: list[list[str]] = []
        self.failure: Exception | None = None
        self.started_at: list[float] = []

    async def load(self, requests: Sequence[LoadRequest]) -> dict[int, State]:
        """Take a batch, or raise what its documents or `failure` ask for."""
        documents = [request.document for request in requests]
        names = [one.identity.event.key.split("/")[-1].removesuffix(".json") for one in documents]
        self.batches.append(names)
        self.started_at.append(now())
        await asyncio.sleep(self.seconds)
        if self.failure:
            raise self.failure
        if any(name.startswith("bug") for name in names):
            raise ZeroDivisionError
        if not all(one.is_wanted() for one in requests):
            raise LeaseLost
        told = zip(documents, names, strict=True)
        if stale := {one.number for one, name in told if name.startswith("stale")}:
            raise ChangedMeanwhile(stale)
        if any(name.startswith("bad") for name in names):
            raise REJECTED
        return {one.number: State.LOADED for one in documents}


@asynccontextmanager
async def loading(
    database: Database,
    *,
    rows: int = 1000,
    size: int = 10**9,
    wait: float = 0.05,
    concurrency: int = 1,
) -> AsyncIterator[Batcher]:
    """Run a batcher; it must not have ended by itself."""
    loader = Batcher(database.load, BatchLimits(rows, size, wait), concurrency)
    task = asyncio.create_task(loader.run())
    try:
        yield loader
    finally:
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
