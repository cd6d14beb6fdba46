"""How the work is going, by the process's own metrics: health pages, log events, a summary."""

import asyncio
from collections import Counter
from operator import sub
from typing import NamedTuple, Self

import structlog
from aiohttp import web

from consumer.aws.sqs import Queue
from consumer.errors import ConsumerError
from consumer.messages.breakers import Breakers, Probe
from consumer.messages.leases import Leases
from consumer.metrics import OBJECTS_ENDED, REGISTRY
from runtime.http_server import health_pages

log = structlog.get_logger()

_PROBE_SECONDS = 5.0


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


def health_app(leases: Leases, breakers: Breakers, probe: Probe) -> web.Application:
    """Build the pages: `/metrics` is Prometheus text; the others answer 200, or 503 and why.

    `/healthz`: leases are extended in time and no failure burst suspends the work. `/readyz`:
    nothing else suspends it either, and database, bucket and queue answer.
    """

    async def healthz() -> str | None:
        late = None if leases.is_on_time else "leases are not extended in time"
        return late or breakers.failure.reason

    async def readyz() -> str | None:
        if breakers.reason:
            return breakers.reason
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await probe()
        except (ConsumerError, TimeoutError) as error:
            return str(error) or f"no answer within {_PROBE_SECONDS} s"
        return None

    return health_pages(healthz, readyz, REGISTRY)
