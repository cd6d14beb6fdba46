"""Metrics as log lines that CloudWatch takes metrics from, so that no other program must scrape.

One line on stdout for all of a program's chosen metrics; a container's log driver takes it to
CloudWatch Logs like any other. Each metric is one of the account's custom metrics and is billed, so
there is no dimension but the program: sums and maxima are those of all its processes.

Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client import CollectorRegistry

MAX_METRICS = 100  # in one line; a set of dimensions may have 30
DIMENSION = "Service"


@dataclass(frozen=True)
class EmfMetric:
    """One metric of CloudWatch, from the samples of a series whose labels are among those named."""

    name: str
    sample: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unit: Literal["Count", "Seconds", "None"] = "Count"
    per: str = ""  # the sample to divide by; of both, what was added since the line before counts

    def counts(self, labels: Mapping[str, str]) -> bool:
        """Say whether a sample with these labels belongs to it."""
        return all(labels.get(label) in words for label, words in self.labels.items())

    @property
    def is_added_up(self) -> bool:
        """Whether what was added since the line before counts, and not what there is."""
        return bool(self.per) or self.sample.endswith("_total")


class EmfLines:
    """The lines of one program; each tells of the time since the one before."""

    def __init__(
        self,
        registry: CollectorRegistry,
        namespace: str,
        service: str,
        metrics: Sequence[EmfMetric],
    ) -> None:
        self._registry = registry
        self._namespace = namespace
        self._service = service
        self._metrics = metrics
        self._before: dict[str, tuple[float, float]] = {}

    def line(self) -> str:
        """Return the next line; a mean of nothing is left out."""
        values = dict(self._values())
        units = {metric.name: metric.unit for metric in self._metrics}
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [[DIMENSION]],
            "Metrics": [{"Name": name, "Unit": units[name]} for name in values],
        }
        about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
        return json.dumps({"_aws": about, DIMENSION: self._service, **values})

    def _values(self) -> Iterator[tuple[str, float]]:
        for metric in self._metrics:
            value, count = self._read(metric)
            value_before, count_before = self._before.get(metric.name, (0.0, 0.0))
            self._before[metric.name] = value, count
            added, counted = value - value_before, count - count_before
            if not metric.is_added_up:
                yield metric.name, value
            elif not metric.per:
                yield metric.name, added
            elif counted:
                yield metric.name, added / counted

    def _read(self, metric: EmfMetric) -> tuple[float, float]:
        """Return the sum of the metric's samples, and of those to divide by."""
        samples = [one for family in self._registry.collect() for one in family.samples]
        ours = [one for one in samples if one.name == metric.sample and metric.counts(one.labels)]
        return (
            sum(one.value for one in ours),
            sum(one.value for one in samples if one.name == metric.per),
        )


async def keep_writing(lines: EmfLines, every_seconds: float) -> None:
    """Write a line every so often (0: never), and the last one when cancelled."""
    while every_seconds:
        try:
            await asyncio.sleep(every_seconds)
        finally:
            # Also when we are cancelled: the time since the line before would be lost.
            _write(lines.line())


def _write(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        # Nobody reads it any more: the work goes on.
        return
