"""The consumer tells how the work is going, from its own metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from structlog.testing import capture_logs

from consumer.errors import StorageUnavailable
from consumer.metrics import BATCH_ROWS, LAG_SECONDS, OBJECT_BYTES, OBJECTS_ENDED
from consumer.supervision.progress import Counts, log_progress
from schemas.codes import ErrorCode, State
from tests.support.consumer_fakes import FakeQueue

DEADLINE_SECONDS = 20


def work() -> None:
    """Count what two loaded objects and a dead-lettered one leave behind."""
    OBJECTS_ENDED.labels(State.LOADED, "").inc(2)
    OBJECTS_ENDED.labels(State.DEAD_LETTERED, ErrorCode.JSON_MALFORMED).inc()
    BATCH_ROWS.observe(40)
    BATCH_ROWS.observe(2)
    OBJECT_BYTES.inc(1_234_567)
    LAG_SECONDS.observe(1)
    LAG_SECONDS.observe(2)


@asynccontextmanager
async def logging(queue: FakeQueue, every_seconds: float = 0.01) -> AsyncIterator[list[Any]]:
    with capture_logs() as logs:
        task = asyncio.create_task(log_progress(queue, every_seconds))
        await asyncio.sleep(0)
        yield logs
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def first(logs: list[Any]) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not logs:
            await asyncio.sleep(0.005)
    return dict(logs[0])


async def test_what_was_done_is_logged_with_rows_megabytes_lag_and_what_waits() -> None:
    async with logging(FakeQueue("a", "b")) as logs:
        work()
        assert await first(logs) == {
            "event": "progress_made",
            "log_level": "info",
            "objects": 3,
            "loaded": 2,
            "dead_lettered": 1,
            "rows": 42,
            "megabytes": 1.2,
            "lag_seconds": 1.5,
            "in_flight": 0,
            "queue_depth": 2,
        }


async def test_nothing_is_logged_while_nothing_is_done_and_each_thing_once() -> None:
    async with logging(FakeQueue()) as logs:
        work()
        await first(logs)
        before = len(asyncio.all_tasks())
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert (len(logs), len(asyncio.all_tasks())) == (1, before)


async def test_a_queue_that_does_not_answer_hides_only_its_depth() -> None:
    queue = FakeQueue()
    queue.failures["depth"] = [StorageUnavailable("down")]
    async with logging(queue) as logs:
        work()
        told = await first(logs)
    assert (told["queue_depth"], told["rows"]) == (None, 42)


def test_what_was_done_between_two_moments_is_their_difference() -> None:
    before = Counts.now()
    assert Counts.now().since(before).is_nothing
    work()
    done = Counts.now().since(before)
    assert done.objects == {"loaded": 2, "dead_lettered": 1}
    assert (done.rows, done.megabytes, done.mean_lag_seconds) == (42, 1.2, 1.5)
