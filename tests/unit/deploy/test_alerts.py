"""The Prometheus alerts are PromQL, watch what exists, and lead to the runbook."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from consumer.metrics import Cause
from docs.reference import generate

ROOT = Path(__file__).parent.parent.parent.parent
FOLDER = ROOT / "deploy" / "prometheus"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
[GROUP] = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
ALERTS: list[dict[str, Any]] = GROUP["rules"]
# What Prometheus adds to a histogram's name.
SERIES = re.compile(r"_(bucket|sum|count)$")


def selectors(expression: Any) -> Iterator[Any]:
    """Give every selector of series in a parsed expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("vector_selector", "expr", "lhs", "rhs", "args"):
        inner = getattr(expression, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if one is not None:
                yield from selectors(one)


def test_every_alert_selects_metrics_and_labels_that_exist() -> None:
    known = {
        row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2]))
        for _, registry in generate.registries()
        for row in generate.metrics(registry)
    }
    found = 0
    for rule in ALERTS:
        for selector in selectors(promql_parser.parse(rule["expr"])):
            labels = known[SERIES.sub("", selector.name)]
            assert {one.name for one in selector.matchers.matchers} <= labels, rule["alert"]
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
