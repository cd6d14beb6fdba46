"""How the work is going: a log event every few seconds, and a summary for people at the end.

Reads the process's own metrics, so that nothing else has to report to it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Self

import structlog
from prometheus_client.metrics import MetricWrapperBase

from consumer.aws.sqs import Queue
from consumer.errors import ConsumerError
from consumer.metrics import (
    BATCH_ROWS,
    IN_FLIGHT_MESSAGES,
    LAG_SECONDS,
    OBJECT_BYTES,
    OBJECTS_ENDED,
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Counts:
    """What this process has done since some moment."""

    objects: Mapping[str, int]
    rows: int
    byte_count: int
    commits: int
    lag_seconds: float

    @classmethod
    def now(cls) -> Self:
        """Return what was done since the process started."""
        objects: dict[str, int] = {}
        for sample in chain.from_iterable(family.samples for family in OBJECTS_ENDED.collect()):
            if sample.name.endswith("_total"):
                state = sample.labels["state"]
                objects[state] = objects.get(state, 0) + int(sample.value)
        return cls(
            objects,
            int(_sample(BATCH_ROWS, "_sum")),
            int(_sample(OBJECT_BYTES, "_total")),
            int(_sample(LAG_SECONDS, "_count")),
            _sample(LAG_SECONDS, "_sum"),
        )

    def since(self, before: Self) -> Self:
        """Return what was done between two moments."""
        ended = {
            state: count - before.objects.get(state, 0) for state, count in self.objects.items()
        }
        return type(self)(
            {state: count for state, count in ended.items() if count},
            self.rows - before.rows,
            self.byte_count - before.byte_count,
            self.commits - before.commits,
            self.lag_seconds - before.lag_seconds,
        )

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was done at all."""
        return not (self.objects or self.rows or self.byte_count)

    @property
    def megabytes(self) -> float:
        """Bytes read, in millions."""
        return round(self.byte_count / 1e6, 1)

    @property
    def mean_lag_seconds(self) -> float | None:
        """From event to commit, on average; None if nothing was committed."""
        return round(self.lag_seconds / self.commits, 1) if self.commits else None


async def log_progress(queue: Queue, every_seconds: float) -> None:
    """Log what was done, every so often while something is; run until cancelled.

    Args:
        queue: The main queue, asked for its depth.
        every_seconds: How often; 0 for never.
    """
    last = Counts.now()
    while every_seconds:
        await asyncio.sleep(every_seconds)
        now = Counts.now()
        done, last = now.since(last), now
        if not done.is_nothing:
            log.info(
                "progress_made",
                objects=sum(done.objects.values()),
                **done.objects,
                rows=done.rows,
                megabytes=done.megabytes,
                lag_seconds=done.mean_lag_seconds,
                in_flight=int(_sample(IN_FLIGHT_MESSAGES, "")),
                queue_depth=await _depth(queue),
            )


async def _depth(queue: Queue) -> int | None:
    try:
        return (await queue.depth()).total
    except ConsumerError:
        return None  # an outage is told by its breaker


def _sample(metric: MetricWrapperBase, suffix: str) -> float:
    """Return a sample of a metric without labels."""
    samples = chain.from_iterable(family.samples for family in metric.collect())
    return next(sample.value for sample in samples if sample.name.endswith(suffix))
