"""Metrics for CloudWatch: lines in its embedded metric format, within its limits."""

import asyncio
import json
import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from consumer.metrics import CLOUDWATCH as CONSUMER_METRICS
from consumer.metrics import REGISTRY
from producer.metrics import CLOUDWATCH as PRODUCER_METRICS
from producer.metrics import Metrics
from runtime.emf import DIMENSION, MAX_METRICS, EmfLines, EmfMetric, keep_writing

CHOSEN = (
    EmfMetric("Failed", "ends_total", {"state": ("dead", "lost")}),
    EmfMetric("Held", "held"),
    EmfMetric("Lag", "lag_seconds_sum", unit="Seconds", per="lag_seconds_count"),
)
# CloudWatch API Reference, MetricDatum
UNITS = {"Count", "Seconds", "None"}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def read(line: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a line's directive and its values, once it is seen to be what CloudWatch takes."""
    root = json.loads(line)
    about = root.pop("_aws")
    assert isinstance(about["Timestamp"], int)
    [directive] = about["CloudWatchMetrics"]
    assert {"Namespace", "Dimensions", "Metrics"} == directive.keys()
    assert [[DIMENSION]] == directive["Dimensions"]
    assert root.pop(DIMENSION)
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert sorted(root) == sorted(names)
    assert 0 < len(names) == len(set(names)) <= MAX_METRICS
    assert UNITS >= {metric["Unit"] for metric in directive["Metrics"]}
    assert all(isinstance(value, int | float) for value in root.values())
    assert len(line.encode()) < 256 * 1024
    assert "\n" not in line
    return directive, root


def test_counters_tell_what_was_added_gauges_what_there_is_and_means_leave_out_nothing(
    registry: CollectorRegistry,
) -> None:
    ends = Counter("ends", "x", ["state"], registry=registry)
    held = Gauge("held", "x", ["code"], registry=registry)
    lag = Histogram("lag_seconds", "x", registry=registry)
    lines = EmfLines(registry, "coco", "consumer", CHOSEN)
    ends.labels("dead").inc(2)
    ends.labels("lost").inc()
    ends.labels("loaded").inc(9)
    held.labels("a").set(3)
    held.labels("b").set(4)
    for seconds in (1, 3):
        lag.observe(seconds)
    assert {"Failed": 3, "Held": 7, "Lag": 2} == read(lines.line())[1]
    assert {"Failed": 0, "Held": 7} == read(lines.line())[1]
    ends.labels("dead").inc()
    lag.observe(10)
    directive, values = read(lines.line())
    assert {"Failed": 1, "Held": 7, "Lag": 10} == values
    assert "coco" == directive["Namespace"]


@pytest.mark.parametrize(
    ("registry", "chosen"),
    [(REGISTRY, CONSUMER_METRICS), (Metrics().registry, PRODUCER_METRICS)],
    ids=["consumer", "producer"],
)
def test_the_chosen_metrics_are_made_from_series_that_there_are(
    registry: CollectorRegistry, chosen: tuple[EmfMetric, ...]
) -> None:
    samples = [one for family in registry.collect() for one in family.samples]
    for metric in chosen:
        found = [one for one in samples if one.name == metric.sample]
        assert any(metric.counts(one.labels) for one in found), metric
        for label, words in metric.labels.items():
            assert set(words) <= {one.labels[label] for one in found}
        assert not metric.per or metric.per in {one.name for one in samples}
        assert re.fullmatch("[A-Z][A-Za-z]+", metric.name)
    read(EmfLines(registry, "coco-ingest", "x", chosen).line())


async def test_lines_are_written_in_time_and_a_last_one_when_stopped(
    registry: CollectorRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = Counter("ends", "x", ["state"], registry=registry)
    lines = EmfLines(registry, "coco", "consumer", CHOSEN[:1])
    writing = asyncio.create_task(keep_writing(lines, 3600))
    await asyncio.sleep(0)
    ends.labels("dead").inc()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    [line] = capsys.readouterr().out.splitlines()
    assert {"Failed": 1} == read(line)[1]
    writing = asyncio.create_task(keep_writing(lines, 0.001))
    told = ""
    async with asyncio.timeout(10):
        while told.count("\n") < 2:
            await asyncio.sleep(0.002)
            told += capsys.readouterr().out
    writing.cancel()
    await keep_writing(lines, 0)
