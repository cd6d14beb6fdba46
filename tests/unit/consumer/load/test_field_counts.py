"""Which fields came is counted in memory, and shared through a table."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from consumer.drift.findings import RETYPED, Finding
from consumer.drift.shapes import Presence, Presences
from consumer.load.field_counts import FieldCounts, share
from schemas.registry import Source
from tests.support.samples import NOON, checks, day_list, fetched, staged

DOCUMENT = staged(checks(opnBusDt=None), number=5)
IDENTITY = DOCUMENT.identity
EVENT_DAY = NOON.date()
SUB_TTL, TOTAL = "guestChecks.subTtl", "guestChecks.subTotal"


def seen(*fields: tuple[Any, ...], day: date | None = None) -> Presences:
    return Presences(day, [Presence(*field) for field in fields])


def counted(usual: FieldCounts) -> dict[tuple[str, date, bool], tuple[int, int, int]]:
    """Return objects, records and filled ones by path, first day and whether the field came."""
    fields = usual.take_unsaved().fields
    return {
        (path, tally.first_day, came): (tally.objects, tally.records, tally.filled)
        for (_, path, _, came), tally in fields.items()
    }


def test_a_document_counts_for_its_business_day_or_else_for_its_first_check_s() -> None:
    usual = FieldCounts()
    answer = staged(day_list(Source.CHARGE_BACK), Source.CHARGE_BACK)
    opened = date(2024, 5, 6)
    usual.learn(answer, seen(("amount", 1, 1), day=opened))
    usual.learn(DOCUMENT, seen((SUB_TTL, 1, 1), day=opened))
    assert counted(usual).keys() == {
        ("amount", date(2024, 1, 1), True),
        (SUB_TTL, opened, True),
    }


def test_the_days_of_one_week_are_counted_together() -> None:
    """A year of counts must stay small; the first day tells which came first."""
    usual = FieldCounts()
    monday = date(2024, 5, 6)
    for number in (6, 2, 3, 7):
        usual.learn(DOCUMENT, seen((SUB_TTL, 1, 1), day=monday + timedelta(days=number)))
    assert counted(usual) == {
        (SUB_TTL, monday + timedelta(days=2), True): (3, 3, 3),
        (SUB_TTL, monday + timedelta(days=7), True): (1, 1, 1),
    }


def test_the_first_and_the_last_object_are_known_whatever_their_order() -> None:
    usual = FieldCounts()
    for number in (20, 40, 10, 30):
        document = staged(checks(), number=number, key=f"raw/erp/{number}.json")
        usual.learn(document, seen((TOTAL, 1, 1, "number")))
    [tally] = usual.take_unsaved().fields.values()
    assert (tally.first_object_key, tally.last_object_key) == ("raw/erp/10.json", "raw/erp/40.json")
    assert (tally.first_seen, tally.last_seen) == (
        NOON + timedelta(seconds=10),
        NOON + timedelta(seconds=40),
    )
    assert tally.note == "number"


def test_what_was_counted_is_handed_out_once() -> None:
    usual = FieldCounts()
    usual.learn(DOCUMENT, seen((SUB_TTL, 1, 1)))
    usual.learn_refused(
        Source.ERP, IDENTITY, {Finding("curUTC", RETYPED, "expected text"): 1}, seen()
    )
    first, second = usual.take_unsaved(), usual.take_unsaved()
    assert [key[1] for key in first.fields] == [SUB_TTL]
    assert list(first.findings) == [("erp", "curUTC", RETYPED)]
    assert (second.fields, second.findings) == ({}, {})


def test_threads_that_count_at_once_lose_no_count() -> None:
    """The race: documents are refused in threads while others are learned from."""
    usual = FieldCounts()

    def work(_: int) -> None:
        for turn in range(200):
            usual.learn(DOCUMENT, seen((f"guestChecks.f{turn}", 1, 1)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert set(counted(usual).values()) == {(8, 8, 8)}


class DeadPool:
    """A pool whose database is down."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Fail."""
        raise self.error("down")
        yield


def test_a_database_that_is_down_stops_nothing_and_no_count_is_lost() -> None:
    usual = FieldCounts()
    usual.learn(DOCUMENT, seen((SUB_TTL, 1, 1)))
    usual.learn_refused(Source.ERP, IDENTITY, {Finding("curUTC", RETYPED): 1}, seen())
    asyncio.run(share(usual, DeadPool(psycopg.OperationalError)))  # type: ignore[arg-type]  # fake
    usual.learn(DOCUMENT, seen((SUB_TTL, 1, 1)))
    unsaved = usual.take_unsaved()
    assert [tally.records for tally in unsaved.fields.values()] == [2]
    assert len(unsaved.findings) == 1


def test_a_process_that_is_stopped_while_it_shares_keeps_its_counts() -> None:
    usual = FieldCounts()
    usual.learn(DOCUMENT, seen((SUB_TTL, 1, 1)))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(share(usual, DeadPool(asyncio.CancelledError)))  # type: ignore[arg-type]  # fake
    assert counted(usual) == {(SUB_TTL, EVENT_DAY, True): (1, 1, 1)}


def test_documents_that_use_ids_as_field_names_do_not_fill_memory() -> None:
    usual = FieldCounts()
    for number in range(3000):
        usual.learn(DOCUMENT, seen((f"guestChecks.empNum{number}", 1, 1, "number")))
    assert len(usual.take_unsaved().fields) == 500
    # What is known already is counted on.
    usual.learn(DOCUMENT, seen(("guestChecks.empNum7", 1, 1, "number"), (SUB_TTL, 1, 1)))
    assert len(usual.take_unsaved().fields) == 2


def test_an_event_without_a_day_counts_for_the_day_of_its_event() -> None:
    usual = FieldCounts()
    late = fetched(checks(), number=12 * 3600).identity
    usual.learn_refused(Source.ERP, late, {}, seen(("curUTC", 0, 1)))
    assert counted(usual) == {("curUTC", EVENT_DAY + timedelta(days=1), False): (1, 1, 0)}
