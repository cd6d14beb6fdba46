"""Every series of both programs is there at 0 before anything happens, or its alert never fires."""

import runpy
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from consumer import metrics
from consumer.metrics import Cause, Settled
from consumer.operate.drift_report import KINDS
from producer.metrics import Metrics
from schemas.codes import ErrorCode, State


@pytest.fixture(scope="module")
def consumer() -> CollectorRegistry:
    """The registry of a consumer that has only just begun."""
    registry: CollectorRegistry = runpy.run_path(metrics.__file__)["REGISTRY"]
    return registry


def unborn(registry: CollectorRegistry) -> Iterator[str]:
    for metric in dict.fromkeys(registry._collector_to_names):
        if metric._labelnames and not metric._metrics:
            yield metric._name


def test_no_labelled_metric_begins_without_its_series(consumer: CollectorRegistry) -> None:
    assert [] == list(unborn(consumer))
    assert [] == list(unborn(Metrics().registry))


def labels(registry: CollectorRegistry, name: str, label: str) -> set[str]:
    return {
        sample.labels[label]
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize(
    ("name", "label", "words"),
    [
        ("coco_objects_ended_total", "state", set(State)),
        ("coco_objects_ended_total", "code", {"", *ErrorCode}),
        ("coco_messages_settled_total", "outcome", set(Settled)),
        ("coco_messages_settled_total", "code", {"", *ErrorCode}),
        ("coco_held_messages", "code", set(ErrorCode)),
        ("coco_breaker_opened_total", "code", set(ErrorCode)),
        ("coco_breaker_open", "cause", set(Cause)),
        ("coco_drift_findings", "kind", set(KINDS)),
    ],
)
def test_each_word_of_a_closed_set_has_its_series(
    consumer: CollectorRegistry, name: str, label: str, words: set[str]
) -> None:
    assert words == labels(consumer, name, label)


def test_every_series_begins_at_zero(consumer: CollectorRegistry) -> None:
    begun = (family for registry in (consumer, Metrics().registry) for family in registry.collect())
    assert {0} == {
        sample.value
        for family in begun
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
