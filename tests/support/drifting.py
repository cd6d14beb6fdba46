"""Loads days of one store after the other, and reads the report of what changed."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from consumer.operate.reports import read_drift
from schemas.registry import Source
from tests.support.samples import STORE, prepared
from tests.support.warehouse import Warehouse

FIRST = date(2024, 1, 1)
SOURCE = Source.GUEST_CHECKS


def read(
    warehouse: Warehouse, days: Mapping[int, Any], store: str = STORE, source: Source = SOURCE
) -> None:
    """Load days by their numbers in one batch; the number is also when the object was written."""
    documents = []
    for number, sent in days.items():
        document = sent | ({"locRef": store} if "locRef" in sent else {})
        where: dict[str, Any] = {"day": FIRST + timedelta(days=number), "number": number}
        key = f"{store} day {number}"
        documents.append(prepared(document, source, key=key, store=store, **where).document)
    warehouse.load(*documents)


def report(warehouse: Warehouse) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what `consumer drift` tells, by kind and path."""
    return {(row["kind"], row["path"]): row for row in read_drift(warehouse.settings)}


def inferred(warehouse: Warehouse) -> dict[tuple[str, str], dict[str, Any]]:
    """Return only what many documents tell together."""
    return {key: row for key, row in report(warehouse).items() if row["stores"] is not None}
