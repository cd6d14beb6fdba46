"""The Prometheus alerts are PromQL, watch what exists, and lead to the runbook."""

from pathlib import Path
from typing import Any

import yaml

from consumer.metrics import Cause
from tests.support.promql import metrics, selected

ROOT = Path(__file__).parent.parent.parent.parent
FOLDER = ROOT / "deploy" / "prometheus"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
[GROUP] = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
ALERTS: list[dict[str, Any]] = GROUP["rules"]


def test_every_alert_selects_metrics_and_labels_that_exist() -> None:
    known = metrics()
    found = 0
    for rule in ALERTS:
        for metric, labels in selected(rule["expr"]).items():
            assert labels <= known[metric], rule["alert"]
            found += 1
    assert found >= len(ALERTS)


def test_every_breaker_has_its_alert() -> None:
    told = {rule["expr"] for rule in ALERTS}
    assert all(any(f'cause="{cause}"' in expr for expr in told) for cause in Cause)


def test_every_alert_has_its_section_in_the_runbook() -> None:
    for rule in ALERTS:
        assert f"\n## {rule['alert']}: " in OPERATIONS
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_promtool_is_shown_each_alert_firing_and_silent() -> None:
    """`make deploy-test` runs promtool, where it is to be had."""
    tests = yaml.safe_load((FOLDER / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    shown = [case for test in tests for case in test["alert_rule_test"]]
    names = {rule["alert"] for rule in ALERTS}
    assert {case["alertname"] for case in shown if case["exp_alerts"]} == names
    assert {case["alertname"] for case in shown if not case["exp_alerts"]} == names
