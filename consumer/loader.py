"""Brings staged documents together into batches and loads them.

A batch that fails on its data is split until the culprit stands alone; the others commit. A
deadlock or serialization failure is retried at once; a database that is down fails the batch with
a transient error, and its messages wait in the queue.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from consumer import metrics
from consumer.batches import StagedDocument, load_batch
from consumer.errors import ConsumerError, DatabaseUnavailable, Internal, Permanent
from consumer.postgres import is_conflict, mapped
from schemas.codes import State

log = structlog.get_logger()

_WAITING_DOCUMENTS = 64
_CONFLICT_ATTEMPTS = 8
_CONFLICT_PAUSE_SECONDS = 0.05

# Loads a batch in one transaction; raises ConsumerError when nothing of it was committed.
LoadBatch = Callable[[Sequence[StagedDocument]], Awaitable[dict[int, State]]]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch is full, and how long it waits to become so."""

    rows: int
    bytes: int
    wait_seconds: float


@dataclass(slots=True)
class _Waiting:
    document: StagedDocument
    outcome: asyncio.Future[State] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Loader:
    """Hands documents to the database in batches.

    Args:
        load: Loads one batch.
        limits: When a batch is full.
        concurrency: Batches under way at once.
    """

    def __init__(self, load: LoadBatch, limits: BatchLimits, concurrency: int) -> None:
        self._load = load
        self._limits = limits
        self._concurrency = concurrency
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(_WAITING_DOCUMENTS)
        self._left_over: list[_Waiting] = []
        self._collecting = asyncio.Lock()

    async def load(self, document: StagedDocument) -> State:
        """Load a document with its neighbours and return its end state.

        Raises:
            ConsumerError: nothing of the document was committed.
        """
        waiting = _Waiting(document)
        await self._waiting.put(waiting)
        return await waiting.outcome

    async def run(self) -> None:
        """Load batches until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(self._run_one())

    async def _run_one(self) -> None:
        while True:
            async with self._collecting:
                batch = await self._collect()
            await self._load_and_split(batch)

    async def _collect(self) -> list[_Waiting]:
        """Take one document and the neighbours that come in time and fit."""
        first = self._left_over.pop(0) if self._left_over else await self._waiting.get()
        batch, seen = [first], {first.document.identity.key}
        rows, size = first.document.staged.row_count, first.document.staged.byte_count
        deadline = monotonic() + self._limits.wait_seconds
        while rows < self._limits.rows and size < self._limits.bytes:
            candidate = await self._next_before(deadline)
            if candidate is None:
                break
            key = candidate.document.identity.key
            if key in seen:
                # Two events of one object version: one batch writes a ledger row only once.
                self._left_over.append(candidate)
                break
            seen.add(key)
            batch.append(candidate)
            rows += candidate.document.staged.row_count
            size += candidate.document.staged.byte_count
        return batch

    async def _next_before(self, deadline: float) -> _Waiting | None:
        if self._left_over:
            return self._left_over.pop(0)
        try:
            return self._waiting.get_nowait()
        except asyncio.QueueEmpty:
            pass
        try:
            async with asyncio.timeout(max(0.0, deadline - monotonic())):
                return await self._waiting.get()
        except TimeoutError:
            return None

    async def _load_and_split(self, batch: list[_Waiting]) -> None:
        started = monotonic()
        try:
            states = await self._load([waiting.document for waiting in batch])
        except Permanent as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            log.warning("batch_split", documents=len(batch), error=str(error))
            middle = len(batch) // 2
            await self._load_and_split(batch[:middle])
            await self._load_and_split(batch[middle:])
        except ConsumerError as error:
            _fail(batch, error)
        except Exception as error:  # a bug must fail its batch, not the loader
            log.exception("batch_failed")
            _fail(batch, Internal(f"{type(error).__name__}: {error}"))
        else:
            metrics.BATCH_SECONDS.observe(monotonic() - started)
            metrics.BATCH_ROWS.observe(sum(w.document.staged.row_count for w in batch))
            for waiting in batch:
                state = states.get(waiting.document.number)
                if state is None:
                    _fail([waiting], Internal("the batch was committed without this document"))
                elif not waiting.outcome.done():
                    waiting.outcome.set_result(state)


def _fail(batch: list[_Waiting], error: ConsumerError) -> None:
    for waiting in batch:
        # Whoever waited may have been cancelled: then the message was released already.
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)


def postgres_load(pool: AsyncConnectionPool) -> LoadBatch:
    """Return the function that loads one batch through a pool, retrying conflicts."""

    async def load(documents: Sequence[StagedDocument]) -> dict[int, State]:
        for attempt in range(1, _CONFLICT_ATTEMPTS + 1):
            try:
                async with pool.connection() as connection:
                    return await load_batch(connection, documents)
            except psycopg.Error as error:
                if not is_conflict(error) or attempt == _CONFLICT_ATTEMPTS:
                    raise mapped(error) from error
                log.info("batch_conflict", attempt=attempt, sqlstate=error.sqlstate)
            await asyncio.sleep(random.uniform(0, _CONFLICT_PAUSE_SECONDS * attempt))  # noqa: S311 - jitter
        raise DatabaseUnavailable("unreachable: the last attempt returns or raises")

    return load
