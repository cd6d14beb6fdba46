"""Memory and scratch space of `consumer verify`, for many store-days and for ten times as many.

    devstack run -- python -m bench.many_days [STORE_DAYS]

A hundred small stores, an answer of checks and one of transactions a day. The lake makes an object
when it is asked for, so that the memory measured is the command's own; each run is a process.
"""

import asyncio
import json
import multiprocessing
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from multiprocessing.queues import Queue
from time import perf_counter, process_time

from bench.databases import Server
from bench.documents import BUCKET, Document
from bench.loading import load_seconds
from bench.memory import anonymous_megabytes, peak_megabytes
from consumer.aws.s3 import ReadLimits, StoredObject
from consumer.operate.proof import means
from consumer.operate.verify import proving
from consumer.operate.verify.plan import Chosen
from consumer.operate.verify.verifying import Verifying
from consumer.settings import ConsumerSettings, DatabaseSettings
from schemas.envelopes import ObjectEvent
from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.registry import Source

STORES = 100
_SOURCES = (Source.GUEST_CHECKS, Source.TRANSACTIONS)
_FIRST = date(2023, 1, 1)
_CHECKS, _LINES, _ROWS = 3, 4, 3
_LOADED_AT_ONCE = 2000
_SCRATCH = """
    SELECT sum(pg_total_relation_size(oid)) / 1000000.0, pg_backend_pid()
    FROM pg_class
    WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
"""


@dataclass(slots=True)
class Verified:
    """What verifying took, and the most that it held at any time."""

    store_days: int
    documents: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0  # resident, of the command
    session_mb: float = 0.0  # of its own memory, the session's process in PostgreSQL
    scratch_mb: float = 0.0  # of temporary tables with their indexes


def measure(server: Server, store_days: int) -> Verified:
    """Load so many store-days, and verify them in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answers: Queue[Verified] = context.Queue()
    days = store_days // STORES
    with server.fresh("bench_many_days") as database:
        loaded = [document.fetched() for document in documents(days)]
        for start in range(0, len(loaded), _LOADED_AT_ONCE):
            load_seconds(database, loaded[start : start + _LOADED_AT_ONCE])
        process = context.Process(target=_verify, args=(database, days, answers))
        process.start()
        found = answers.get()
        process.join()
    return found


def documents(days: int) -> Iterator[Document]:
    """Yield all answers of so many days, the same ones every time."""
    for number in range(days):
        day = _FIRST + timedelta(days=number)
        for store in range(STORES):
            for source in _SOURCES:
                yield _document(source, f"s{store:03}", day)


def _document(source: Source, store: str, day: date) -> Document:
    number = (day - _FIRST).days * 10
    told: dict[str, object] = {"storeId": store, "busDt": day.isoformat()}
    if source.holds_checks:
        told = {"curUTC": f"{day}T23:00:00", "locRef": store}
        told["guestChecks"] = [_check(number + one, day) for one in range(_CHECKS)]
    else:
        rows = [{"transactionId": one, "type": "sale", "amount": 9.5} for one in range(_ROWS)]
        told["transactions"] = rows
    return Document(source, store, day, json.dumps(told, separators=(",", ":")).encode())


def _check(number: int, day: date) -> dict[str, object]:
    return {
        "guestCheckId": number,
        "opnBusDt": day.isoformat(),
        "clsdBusDt": day.isoformat(),
        "lastUpdatedUTC": f"{day}T20:00:00",
        "gstCnt": 2,
        "subTtl": 40,
        "chkTtl": 44,
        "taxes": [{"taxNum": 1, "taxCollTtl": 4}],
        "detailLines": [
            {"guestCheckLineItemId": line, "dspTtl": 10, "menuItem": {"miNum": 6000 + line}}
            for line in range(_LINES)
        ],
    }


class _GeneratedLake:
    """Answers as `Lake` does, and holds nothing."""

    def __init__(self, days: int) -> None:
        self._days = [_FIRST + timedelta(days=number) for number in range(days)]

    async def folders(self, prefix: str) -> list[str]:
        source = prefix.removeprefix(API_PREFIX).rstrip("/")
        return [f"busDt={day}/" for day in self._days if source in _SOURCES]

    async def versions(self, prefix: str) -> AsyncIterator[list[ObjectEvent]]:
        source, _, day = prefix.removeprefix(API_PREFIX).rstrip("/").partition("/busDt=")
        if not prefix.startswith(API_PREFIX) or source not in _SOURCES:
            return
        known, date_of = Source(source), date.fromisoformat(day)
        fetched = [_document(known, f"s{store:03}", date_of).fetched() for store in range(STORES)]
        yield [replace(one.identity.event, etag=one.identity.etag) for one in fetched]

    async def fetch(self, event: ObjectEvent, _: ReadLimits) -> StoredObject:
        key = parse_key(event.key)
        assert isinstance(key, ApiKey)
        found = _document(key.source, key.store_id, key.bus_dt)
        identity = found.fetched().identity
        return StoredObject(found.data, identity.etag, None, identity.last_modified)


def _verify(database: DatabaseSettings, days: int, answers: "Queue[Verified]") -> None:
    found = Verified(days * STORES, 0)

    @asynccontextmanager
    async def open_lake(*_: object) -> AsyncIterator[_GeneratedLake]:
        yield _GeneratedLake(days)

    class Measured(proving.Proving):
        async def compare(self) -> None:
            await super().compare()
            cursor = await self._session.execute(_SCRATCH)
            [(megabytes, process)] = await cursor.fetchall()
            found.scratch_mb = max(found.scratch_mb, float(megabytes))
            found.session_mb = max(found.session_mb, anonymous_megabytes(process))

    # The command as it is, but for where its objects come from, and looked at while it is full.
    means.open_lake, proving.Proving = open_lake, Measured  # type: ignore[assignment,misc,attr-defined]
    settings = ConsumerSettings(
        **database.model_dump(), bucket_name=BUCKET, queue_url="unused", dlq_url="unused"
    )
    verifying = Verifying(settings, Chosen(), timedelta())
    began, cpu_began = perf_counter(), process_time()
    asyncio.run(verifying.run(lambda *_: None, lambda _: None))
    found.seconds, found.cpu_seconds = perf_counter() - began, process_time() - cpu_began
    found.peak_mb, found.documents = peak_megabytes(), verifying.verdict.documents
    assert verifying.verdict.is_equal, verifying.verdict.differences[0]
    assert verifying.verdict.documents == days * STORES * len(_SOURCES)
    answers.put(found)


def main(store_days: int) -> None:
    """Verify a tenth of the store-days, then all."""
    server = Server(DatabaseSettings())
    for count in (store_days // 10, store_days):
        for name, value in asdict(measure(server, count)).items():
            print(f"{name:12} {value:12,.1f}")
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
