"""The documents to measure with: answers of the simulated ERP, the same bytes every time."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from consumer.ingest.prepare import Fetched
from consumer.load.document import Identity
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from schemas.envelopes import ObjectEvent
from schemas.keys import ApiKey, api_key
from schemas.registry import ENDPOINTS, Source

BUCKET = "bench"
CHECKS_PER_DAY = 500
_STORES = ("99 CB CB", "001", "São João", "1042")
_FIRST_DAY = date(2024, 1, 1)
WRITTEN_AT = datetime(2024, 6, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Document:
    """One answer of the ERP, as its object would hold it."""

    source: Source
    store: str
    day: date
    data: bytes

    def fetched(self, written_at: datetime = WRITTEN_AT) -> Fetched:
        """Return it as the consumer has it after reading the object."""
        key = api_key(self.source, self.day, self.store, written_at)
        event = ObjectEvent(
            BUCKET,
            key,
            "ObjectCreated:Put",
            event_time=written_at,
            sequencer=None,
            size_bytes=len(self.data),
        )
        etag = hashlib.md5(self.data, usedforsecurity=False).hexdigest()
        identity = Identity(event, None, etag, written_at, written_at, attempts=1)
        return Fetched(identity, self.source, ApiKey(self.source, self.day, self.store), self.data)


def store_days(count: int, revision: int = 0) -> list[Document]:
    """Return all five answers of some store-days, after some rounds of corrections."""
    erp = simulator(CHECKS_PER_DAY, revision)
    return [
        Document(endpoint.source, store, day, erp.answer(endpoint.source, store, day))
        for store, day in _places(count)
        for endpoint in ENDPOINTS
    ]


def check_answers(count: int, checks_per_day: int) -> list[Document]:
    """Return only the answers of getGuestChecks, of some store-days."""
    erp = simulator(checks_per_day)
    source = Source.GUEST_CHECKS
    return [
        Document(source, store, day, erp.answer(source, store, day))
        for store, day in _places(count)
    ]


def byte_count(documents: Iterable[Document]) -> int:
    """Return how many bytes the documents have together."""
    return sum(len(document.data) for document in documents)


def _places(count: int) -> list[tuple[str, date]]:
    return [
        (_STORES[number % len(_STORES)], _FIRST_DAY + timedelta(days=number // len(_STORES)))
        for number in range(count)
    ]


def simulator(checks_per_day: int, revision: int = 0) -> Simulator:
    """Return a chain in which every store opens every day, with that many checks."""
    settings = SimulatorSettings(
        seed=2024,
        checks_per_day=checks_per_day,
        closed_days_percent=0,
        revision=revision,
        clock=WRITTEN_AT + timedelta(hours=revision),
    )
    return Simulator(settings)
