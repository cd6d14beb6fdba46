"""The Grafana dashboard asks for what exists, for all of it, and is what its panels say."""

import json
from pathlib import Path
from typing import Any

from deploy.grafana.panels import LAKEHOUSE, LOADING, NOW, PRODUCER, TROUBLE
from tests.support.promql import grouped, metrics, selected

FILE = Path(__file__).parent.parent.parent.parent / "deploy" / "grafana" / "coco-ingest.json"
PANELS: list[dict[str, Any]] = [
    panel for panel in json.loads(FILE.read_text(encoding="utf-8"))["panels"] if "targets" in panel
]
QUERIES = [target["expr"].replace("$__rate_interval", "1m") for panel in PANELS for target in panel["targets"]]  # fmt: skip


def test_every_query_selects_metrics_and_labels_that_exist() -> None:
    known = metrics()
    assert len(QUERIES) > 30
    for query in QUERIES:
        found = selected(query)
        assert found, query
        for metric, labels in found.items():
            assert labels | grouped(query) <= known[metric], query


def test_every_metric_is_shown() -> None:
    assert metrics().keys() - {metric for query in QUERIES for metric in selected(query)} == set()


def test_the_file_was_written_from_the_panels() -> None:
    """`make deploy-test` writes it anew and compares all of it."""
    told = [
        (one.title, dict(one.queries)) for one in (*NOW, *LOADING, *TROUBLE, *PRODUCER, *LAKEHOUSE)
    ]
    shown = [
        (panel["title"], {target["legendFormat"]: target["expr"] for target in panel["targets"]})
        for panel in PANELS
    ]
    assert told == shown


def test_panels_take_the_prometheus_that_is_chosen() -> None:
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${source}"}
