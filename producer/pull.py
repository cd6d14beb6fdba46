"""Pulling: which answers to ask for, and what one of them goes through.

Knows the ERP and the lake by what it asks of them, not by how they are reached.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import structlog

from producer.answers import Answer, check_answer
from producer.errors import ConfigurationError, ErpError, LakeError
from producer.lake import Lake, LakeObject
from producer.pool import work_through
from producer.tally import Tally
from schemas.keys import api_key, store_day_prefix
from schemas.sources import ENDPOINTS, ENDPOINTS_BY_NAME, Endpoint

# S3 takes keys of 1,024 bytes; the rest is for the name under the store-day's prefix.
_MAX_PREFIX_CHARS = 980
# Oracle's locRef: free text up to 99 characters.
_MAX_STORE_CHARS = 99

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer to ask for: an endpoint on one store and business date."""

    endpoint: Endpoint
    store_id: str
    bus_dt: date

    def subject(self) -> dict[str, str]:
        """Return the cell as fields of a log event or a report."""
        return {
            "store": self.store_id,
            "business_date": self.bus_dt.isoformat(),
            "endpoint": self.endpoint.name,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run pulls: every endpoint of every store on every day.

    Build it with `make_plan`, which checks it.
    """

    first_day: date
    last_day: date
    stores: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]

    @property
    def day_count(self) -> int:
        """The number of business dates, both ends included."""
        return (self.last_day - self.first_day).days + 1

    @property
    def cell_count(self) -> int:
        """The number of answers, without walking through them."""
        return self.day_count * len(self.stores) * len(self.endpoints)

    def cells(self) -> Iterator[Cell]:
        """Yield the answers to ask for, oldest day first, one at a time."""
        for offset in range(self.day_count):
            bus_dt = self.first_day + timedelta(days=offset)
            for store_id in self.stores:
                for endpoint in self.endpoints:
                    yield Cell(endpoint, store_id, bus_dt)


def make_plan(
    first_day: date, last_day: date, stores: tuple[str, ...], endpoint_names: tuple[str, ...]
) -> Plan:
    """Check what was asked for, before anything is sent; repetitions count once.

    Args:
        first_day: The first business date.
        last_day: The last business date, included.
        stores: Raw store ids; space around them does not count.
        endpoint_names: Names as in `schemas.sources`; none means all five.

    Raises:
        ConfigurationError: The days are the wrong way round, there is no store, or a store
            or an endpoint is unusable; says what to do.
    """
    if first_day > last_day:
        raise ConfigurationError(
            f"--from {first_day} is after --to {last_day}; exchange them, or leave out --to to "
            "pull one day"
        )
    store_ids = tuple(dict.fromkeys(store.strip() for store in stores))
    if not store_ids:
        raise ConfigurationError("no store to pull: give --store, or set STORES=… in .env")
    for store_id in store_ids:
        _check_store(store_id)
    unknown = [name for name in endpoint_names if name not in ENDPOINTS_BY_NAME]
    if unknown:
        raise ConfigurationError(
            f"unknown endpoint {', '.join(unknown)}; the endpoints are "
            f"{', '.join(ENDPOINTS_BY_NAME)}"
        )
    chosen = tuple(e for e in ENDPOINTS if not endpoint_names or e.name in endpoint_names)
    return Plan(first_day, last_day, store_ids, chosen)


def _check_store(store_id: str) -> None:
    longest = max(ENDPOINTS, key=lambda endpoint: len(endpoint.name))
    if not store_id:
        raise ConfigurationError("a store id is empty; remove it, or name the store")
    if not store_id.isprintable():  # lone surrogates, which stand for bytes that are not UTF-8, too
        raise ConfigurationError(f"store id {store_id!a} holds characters that cannot be printed")
    if len(store_id) > _MAX_STORE_CHARS:
        raise ConfigurationError(f"store id {store_id!r} is longer than {_MAX_STORE_CHARS}")
    if len(store_day_prefix(longest.source, date.min, store_id)) > _MAX_PREFIX_CHARS:
        raise ConfigurationError(f"store id {store_id!r} does not fit into an S3 key")


class Erp(Protocol):
    """The ERP API, as far as pulling knows it."""

    async def ask(self, endpoint: Endpoint, store_id: str, bus_dt: date) -> Answer:
        """Ask for one answer, patiently; safe to repeat.

        Raises:
            ErpUnavailableError: No answer after every attempt.
            ErpRefusedError: An answer, but not with status 200.
        """
        ...


async def pull(
    plan: Plan, erp: Erp, lake: Lake, tally: Tally, *, concurrency: int, stop_after_failures: int
) -> None:
    """Store one answer per cell of `plan`; what cannot be stored is counted in `tally`.

    Asking again writes another object under another key and loses nothing. Cancelling leaves
    whole objects only.

    Args:
        plan: What to pull.
        erp: Whom to ask.
        lake: Where answers go.
        tally: Told about every cell that was tried.
        concurrency: How many cells are under way at once.
        stop_after_failures: Transient failures in a row that end the run.
    """

    def until_stopped() -> Iterator[Cell]:
        for cell in plan.cells():
            if tally.stopped_by is None and tally.missed_in_a_row >= stop_after_failures:
                tally.stop(f"{tally.missed_in_a_row} answers in a row could not be had or stored")
            if tally.stopped_by is not None:
                return
            yield cell

    async def pull_one(cell: Cell) -> None:
        with structlog.contextvars.bound_contextvars(**cell.subject()):
            try:
                size_bytes = await _store_answer(cell, erp, lake)
            except (ErpError, LakeError) as exc:
                tally.add_failure(cell.subject(), exc)
            else:
                tally.add_stored(size_bytes)

    await work_through(until_stopped(), pull_one, concurrency)


async def _store_answer(cell: Cell, erp: Erp, lake: Lake) -> int:
    """Ask, check, store; return the number of bytes stored."""
    answer = await erp.ask(cell.endpoint, cell.store_id, cell.bus_dt)
    check_answer(answer)
    key = api_key(cell.endpoint.source, cell.bus_dt, cell.store_id, answer.pulled_at)
    await lake.put(LakeObject(key, answer.body, _metadata(cell, answer)))
    log.debug("answer.stored", key=key, size_bytes=len(answer.body))
    return len(answer.body)


def _metadata(cell: Cell, answer: Answer) -> dict[str, str]:
    return {
        "endpoint": cell.endpoint.name,
        "store": cell.store_id,
        "business-date": cell.bus_dt.isoformat(),
        "pulled-at": answer.pulled_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "http-status": str(answer.status),
        "duration-ms": str(round(answer.duration_seconds * 1000)),
    }
