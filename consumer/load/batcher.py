"""Brings staged documents together into batches and loads them.

A batch that fails on its data is split until the culprit stands alone; the others commit. A
deadlock or serialization failure is retried at once; a database that is down fails the batch with
a transient error, and its messages wait in the queue.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from consumer import metrics
from consumer.errors import ConsumerError, Internal, LeaseLost, Permanent, where
from consumer.load.database import is_conflict, mapped
from consumer.load.document import ChangedMeanwhile, LoadRequest, StagedDocument
from consumer.load.transaction import load_batch
from schemas.codes import State

log = structlog.get_logger()

_WAITING_DOCUMENTS = 64
_BUSY_FACTOR = 8  # times as long as for the first batch
_CONFLICT_ATTEMPTS = 8
_CONFLICT_PAUSE_SECONDS = 0.05

# Loads a batch in one transaction; raises ConsumerError when nothing of it was committed.
LoadBatch = Callable[[Sequence[LoadRequest]], Awaitable[dict[int, State]]]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch is full, and how long it waits to become so."""

    rows: int
    bytes: int
    wait_seconds: float


@dataclass(slots=True)
class _Waiting:
    request: LoadRequest
    outcome: asyncio.Future[State] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def document(self) -> StagedDocument:
        return self.request.document


class Batcher:
    """Hands documents to the database in batches, `concurrency` of them at once."""

    def __init__(self, load: LoadBatch, limits: BatchLimits, concurrency: int) -> None:
        self._load = load
        self._limits = limits
        self._concurrency = concurrency
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(_WAITING_DOCUMENTS)
        self._left_over: list[_Waiting] = []
        self._collecting = asyncio.Lock()
        self._under_way = 0

    async def load(self, request: LoadRequest) -> State:
        """Load a document with its neighbours and return its end state.

        Raises:
            ConsumerError, LeaseLost, ChangedMeanwhile: nothing of the document was committed.
        """
        waiting = _Waiting(request)
        await self._waiting.put(waiting)
        return await waiting.outcome

    async def run(self) -> None:
        """Load batches until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._concurrency):
                group.create_task(self._run_one(), name=f"load batches {number}")

    async def _run_one(self) -> None:
        while True:
            async with self._collecting:
                batch = await self._collect()
            self._under_way += 1
            try:
                await self._load_and_split(batch)
            finally:
                self._under_way -= 1

    async def _collect(self) -> list[_Waiting]:
        """Take one document and the neighbours that come in time and fit."""
        first = self._left_over.pop(0) if self._left_over else await self._waiting.get()
        batch, seen = [first], {first.document.identity.key}
        rows, size = first.document.rows.row_count, first.document.rows.byte_count
        collecting_since = monotonic()
        while rows < self._limits.rows and size < self._limits.bytes:
            candidate = await self._next(collecting_since)
            if candidate is None:
                break
            key = candidate.document.identity.key
            if key in seen:
                # Two events of one object version: one batch writes a ledger row only once.
                self._left_over.append(candidate)
                break
            seen.add(key)
            batch.append(candidate)
            rows += candidate.document.rows.row_count
            size += candidate.document.rows.byte_count
        return batch

    async def _next(self, collecting_since: float) -> _Waiting | None:
        """Return the next document, or None when the batch has waited long enough.

        While others are loaded it waits longer: it would only compete with them.
        """
        if self._left_over:
            return self._left_over.pop(0)
        while True:
            with suppress(asyncio.QueueEmpty):
                return self._waiting.get_nowait()
            longest_seconds = self._limits.wait_seconds * (_BUSY_FACTOR if self._under_way else 1)
            remaining = collecting_since + longest_seconds - monotonic()
            if remaining <= 0:
                return None
            with suppress(TimeoutError):
                async with asyncio.timeout(min(remaining, self._limits.wait_seconds)):
                    return await self._waiting.get()

    async def _load_and_split(self, batch: list[_Waiting]) -> None:
        batch = _still_wanted(batch)
        if not batch:
            return
        started = monotonic()
        try:
            states = await self._load([waiting.request for waiting in batch])
        except LeaseLost:
            # Rolled back; the others once more, without those that are not ours any more.
            await self._load_and_split(batch)
        except ChangedMeanwhile as error:
            _fail([one for one in batch if one.document.number in error.numbers], error)
            others = [one for one in batch if one.document.number not in error.numbers]
            await self._load_and_split(others)
        except ConsumerError as error:
            await self._split_or_fail(batch, error)
        except Exception as error:  # noqa: BLE001 - a bug must fail its batch, not the batcher
            # Without its message, which may quote a document; the error log will have it.
            log.error("batch_failed", documents=len(batch), where=where(error))  # noqa: TRY400
            await self._split_or_fail(batch, Internal.of(error))
        else:
            metrics.BATCH_SECONDS.observe(monotonic() - started)
            metrics.BATCH_ROWS.observe(sum(w.document.rows.row_count for w in batch))
            for waiting in batch:
                state = states.get(waiting.document.number)
                if state is None:
                    _fail([waiting], Internal("the batch was committed without this document"))
                elif not waiting.outcome.done():
                    waiting.outcome.set_result(state)

    async def _split_or_fail(self, batch: list[_Waiting], error: ConsumerError) -> None:
        """Find the document that is to blame; an outage concerns all of them alike."""
        if len(batch) == 1 or not isinstance(error, Permanent | Internal):
            _fail(batch, error)
            return
        log.warning("batch_split", documents=len(batch), code=error.code)
        middle = len(batch) // 2
        await self._load_and_split(batch[:middle])
        await self._load_and_split(batch[middle:])


def _still_wanted(batch: list[_Waiting]) -> list[_Waiting]:
    wanted = []
    for waiting in batch:
        if waiting.request.is_wanted():
            wanted.append(waiting)
        else:
            _fail([waiting], LeaseLost("the lease was lost before its batch"))
    return wanted


def _fail(batch: list[_Waiting], error: ConsumerError | LeaseLost | ChangedMeanwhile) -> None:
    for waiting in batch:
        # Whoever waited may have been cancelled: then the message was released already.
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)


def postgres_load(pool: AsyncConnectionPool) -> LoadBatch:
    """Return the function that loads one batch through a pool, retrying conflicts."""

    async def load(requests: Sequence[LoadRequest]) -> dict[int, State]:
        attempt = 1
        while True:
            try:
                async with pool.connection() as connection:
                    return await load_batch(connection, requests)
            except psycopg.Error as error:
                if not is_conflict(error) or attempt == _CONFLICT_ATTEMPTS:
                    raise mapped(error) from error
                log.info("batch_conflict", attempt=attempt, sqlstate=error.sqlstate)
            await asyncio.sleep(random.uniform(0, _CONFLICT_PAUSE_SECONDS * attempt))  # noqa: S311 - jitter
            attempt += 1

    return load
