"""How the work is going, by the process's own metrics: log events, a summary."""

import asyncio
from collections import Counter
from operator import sub
from typing import NamedTuple, Self

import structlog

from consumer.aws.sqs import Queue
from consumer.errors import ConsumerError
from consumer.metrics import OBJECTS_ENDED, REGISTRY

log = structlog.get_logger()


class Counts(NamedTuple):
    """What this process has done since some moment."""

    objects: Counter[str]  # by end state
    rows: int
    byte_count: int
    commits: int
    lag_seconds: float

    @classmethod
    def now(cls) -> Self:
        """Return what was done since the process started."""
        objects: Counter[str] = Counter()
        for sample in (sample for family in OBJECTS_ENDED.collect() for sample in family.samples):
            if sample.name.endswith("_total"):
                objects[sample.labels["state"]] += int(sample.value)
        return cls(
            objects,
            int(_sample("coco_batch_rows_sum")),
            int(_sample("coco_object_bytes_total")),
            int(_sample("coco_lag_seconds_count")),
            _sample("coco_lag_seconds_sum"),
        )

    def since(self, before: Self) -> Self:
        """Return what was done between two moments."""
        return type(self)(*map(sub, self, before))

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
    """Log what was done, every so often (0: never) while something is; run until cancelled."""
    last = Counts.now()
    while every_seconds:
        await asyncio.sleep(every_seconds)
        done, last = (now := Counts.now()).since(last), now
        if not done.is_nothing:
            log.info(
                "progress_made",
                objects=done.objects.total(),
                **done.objects,
                rows=done.rows,
                megabytes=done.megabytes,
                lag_seconds=done.mean_lag_seconds,
                in_flight=int(_sample("coco_in_flight_messages")),
                queue_depth=await _depth(queue),
            )


async def _depth(queue: Queue) -> int | None:
    try:
        return (await queue.depth()).total
    except ConsumerError:
        return None  # an outage is told by its breaker


def _sample(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0
