"""Takes one document through the steps of the service, without its queue.

Prepare, load, and when the database refuses the data, once more with a closer look.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import prepare
from consumer.load.database import mapped
from schemas.codes import ErrorCode
from schemas.registry import Source
from tests.support.samples import ALIASES, fetched
from tests.support.warehouse import Warehouse

LIMIT = 64 << 20
GOOD = '{"guestCheckId": 1, "lastUpdatedUTC": "2024-01-01T10:00:00", "gstCnt": 1}'


@dataclass(frozen=True)
class Refused:
    """Nothing of the document was loaded."""

    code: ErrorCode


@dataclass(frozen=True)
class Loaded:
    """What was set aside, by place and code."""

    quarantined: dict[str, ErrorCode]
    count: int


def ingest(warehouse: Warehouse, document: Any, source: Source = Source.ERP) -> Refused | Loaded:
    """Drive a document through the service's steps and say how it ended."""
    found = fetched(document, source)
    try:
        prepared = prepare(found, ALIASES, LIMIT)
    except Permanent as error:
        return Refused(error.code)
    refused = try_load(warehouse, prepared)
    return outcome(prepared) if refused is None else Refused(refused)


def try_load(warehouse: Warehouse, prepared: Prepared) -> ErrorCode | None:
    """Load a prepared document; give the code when the database refuses its data."""
    try:
        warehouse.load(prepared.document)
    except psycopg.Error as error:
        failure = mapped(error)
        assert isinstance(failure, Permanent), failure
        return failure.code
    return None


def outcome(prepared: Prepared) -> Loaded:
    """Say what of a loaded document was set aside."""
    codes = {record.path: record.code for record in prepared.quarantined}
    return Loaded(codes, prepared.document.quarantined_count)


def with_good(record: str) -> bytes:
    """Write a document whose second check is good, so that something must load."""
    return f'{{"locRef": "S", "guestChecks": [{record}, {GOOD}]}}'.encode()


def bad_check(field: str) -> bytes:
    """Write such a document whose first check has a field more."""
    return with_good(f'{{"guestCheckId": 2, "lastUpdatedUTC": "2024-01-01T10:00:00", {field}}}')
