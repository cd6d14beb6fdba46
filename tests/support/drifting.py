"""Loads days of one store after the other, and reads the report of what changed."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from consumer.operate.drift_report import read_drift
from schemas.registry import Source
from tests.support.samples import STORE, checks, full_check, prepared
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
    return {
        (row["kind"], row["path"]): row
        for row in warehouse.runner.run(read_drift(warehouse.settings))
    }


def inferred(warehouse: Warehouse) -> dict[tuple[str, str], dict[str, Any]]:
    """Return only what many documents tell together."""
    return {key: row for key, row in report(warehouse).items() if row["stores"] is not None}


def a_day(number: int, count: int = 5, **fields: Any) -> dict[str, Any]:
    """Write a day's answer: so many checks, all with some fields."""
    return checks(*(full_check(100 * number + n, subTtl=1, **fields) for n in range(count)))


def without_field(document: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    """Take a field from all checks of a day, and give them another."""
    rows = [{k: v for k, v in row.items() if k != name} | more for row in document["guestChecks"]]
    return document | {"guestChecks": rows}


def daily(days: Iterable[int], **fields: Any) -> dict[int, Any]:
    """Write the answers of several days, all alike."""
    return {number: a_day(number, **fields) for number in days}
