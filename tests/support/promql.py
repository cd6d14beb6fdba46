"""What PromQL selects, and which metrics and labels there are to select."""

import re
from collections.abc import Iterator
from typing import Any

import promql_parser

from docs.reference import generate

# What Prometheus adds to a histogram's name.
_SERIES = re.compile(r"_(bucket|sum|count)$")


def selected(query: str) -> dict[str, set[str]]:
    """Return the metrics that a query selects, each with the labels that it is selected by.

    Raises:
        ValueError: it is no PromQL.
    """
    found: dict[str, set[str]] = {}
    for selector in _selectors(promql_parser.parse(query)):
        labels = found.setdefault(_SERIES.sub("", selector.name), set())
        labels |= {one.name for one in selector.matchers.matchers}
    return found


def grouped(query: str) -> set[str]:
    """Return the labels by which a query groups."""
    named = re.findall(r"\bby \(([\w, ]+)\)", query)
    return {label.strip() for labels in named for label in labels.split(",")} - {"le"}


def metrics() -> dict[str, set[str]]:
    """Return every metric of the programs with its labels."""
    return {
        row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2]))
        for _, registry in generate.registries()
        for row in generate.metrics(registry)
    }


def _selectors(expression: Any) -> Iterator[Any]:
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("vector_selector", "expr", "lhs", "rhs", "args"):
        inner = getattr(expression, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if one is not None:
                yield from _selectors(one)
