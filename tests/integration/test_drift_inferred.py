"""Drift that only many documents tell, worked out on a real database whatever the loading order."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from consumer.drift.findings import MISSING, RENAMED, UNKNOWN
from schemas.registry import Source
from tests.conftest import Servers
from tests.support.databases import own_database
from tests.support.drifting import (
    FIRST,
    a_day,
    daily,
    inferred,
    read,
    report,
    without_field,
)
from tests.support.samples import STORE, checks, full_check, prepared
from tests.support.warehouse import Warehouse, open_warehouse

Kinds = set[tuple[str, str]]


@pytest.fixture(scope="module")
def migrated(stack: Servers) -> Iterator[Warehouse]:
    """Give the tables of a database for the module."""
    with own_database(stack.environment) as database, open_warehouse(database, 2) as warehouse:
        yield warehouse


@pytest.fixture
def tables(migrated: Warehouse) -> Warehouse:
    """Give the module's tables, without what other tests loaded."""
    migrated.empty()
    return migrated


def test_a_field_that_stops_coming_is_missing_since_then_and_in_those_objects(
    tables: Warehouse,
) -> None:
    read(tables, daily([*range(10), *range(40, 50)]))
    read(tables, {2: without_field(a_day(2, count=1), "subTtl")})
    read(tables, {n: without_field(a_day(n), "subTtl") for n in range(50, 53)})
    row = inferred(tables)[MISSING, "guestChecks.subTtl"]
    assert (row["occurrences"], row["objects"]) == (15, 3)
    assert row["first_object_key"] == f"{STORE} day 50"
    assert row["last_object_key"] == f"{STORE} day 52"
    assert (row["first_seen"].second, row["last_seen"].second) == (50, 52)
    assert (row["since"], row["stores"]) == (FIRST + timedelta(days=50), [STORE])


def test_a_field_that_nearly_always_came_is_missed_as_well(tables: Warehouse) -> None:
    """Filled in 49 of 50 checks until it vanishes."""
    days = daily(range(10), count=50, gstCnt=2)
    for document in days.values():
        del document["guestChecks"][7]["gstCnt"]
    read(tables, days)
    read(tables, daily([10, 11]))
    assert inferred(tables).keys() == {(MISSING, "guestChecks.gstCnt")}


def test_few_records_raise_no_alarm(tables: Warehouse) -> None:
    """Nine checks without a field that one check in ten lacks; of the tenth it is told."""
    days = daily(range(10), count=50, gstCnt=2)
    for document in days.values():
        for number in range(0, 50, 10):
            del document["guestChecks"][number]["gstCnt"]
    read(tables, days)
    read(tables, daily(range(10, 19), count=1))
    assert inferred(tables) == {}
    read(tables, daily([19], count=1))
    assert inferred(tables).keys() == {(MISSING, "guestChecks.gstCnt")}


def test_a_field_that_lacks_on_some_days_of_the_week_is_not_missing_on_such_a_day(
    tables: Warehouse,
) -> None:
    """A store that only delivers on Sundays has no tables then."""
    days = daily(range(35), count=20, tblName="9")
    for sunday in range(6, 35, 7):
        days[sunday] = a_day(sunday, count=20)
    read(tables, days)
    assert inferred(tables) == {}


def test_a_field_that_comes_seldom_is_never_missing(tables: Warehouse) -> None:
    days = daily(range(30), count=20)
    for number in (3, 4, 5):
        for check in days[number]["guestChecks"]:
            check["chkRef"] = "7"
    read(tables, days)
    assert inferred(tables) == {}


@pytest.mark.parametrize("backwards", [False, True])
def test_a_field_that_is_new_was_not_missing_before(tables: Warehouse, *, backwards: bool) -> None:
    """Also when the history is loaded from its end."""
    days = {n: a_day(n, **({"gstCnt": 1} if n >= 10 else {})) for n in range(20)}
    for part in (range(19, 9, -1), range(9, -1, -1)) if backwards else (range(10), range(10, 20)):
        read(tables, {number: days[number] for number in part})
    assert inferred(tables) == {}


def test_a_field_that_comes_again_is_not_missing_any_more(tables: Warehouse) -> None:
    read(tables, daily(range(10), gstCnt=1))
    read(tables, daily(range(10, 20)))
    assert inferred(tables).keys() == {(MISSING, "guestChecks.gstCnt")}
    read(tables, daily([20], gstCnt=1))
    assert inferred(tables) == {}


def test_the_stores_that_stop_sending_a_field_are_named(tables: Warehouse) -> None:
    """Each since its own day; however many others still send it."""
    for store, last in (("A", 10), ("B", 20), ("C", 12), ("D", 20)):
        days = daily(range(20))
        read(
            tables,
            {n: days[n] if n < last else without_field(days[n], "subTtl") for n in days},
            store,
        )
    row = inferred(tables)[MISSING, "guestChecks.subTtl"]
    assert (row["stores"], row["since"]) == (["A", "C"], FIRST + timedelta(days=10))
    assert (row["objects"], row["first_object_key"]) == (18, "A day 10")


def test_open_and_partial_checks_miss_nothing(tables: Warehouse) -> None:
    """What they lack, they lack for a reason: at noon all of a day's checks are open."""
    read(tables, daily(range(10), clsdUTC="2024-01-01T10:00:00", clsdFlag=True))
    read(tables, {10: without_field(a_day(10, count=30, clsdFlag=False), "subTtl")})
    read(tables, {11: checks(*({"guestCheckId": n, "gstCnt": 1} for n in range(30)))})
    assert inferred(tables) == {}


def test_a_finding_is_taken_back_when_older_documents_say_otherwise(tables: Warehouse) -> None:
    read(tables, daily(range(10, 20), gstCnt=1))
    read(tables, daily(range(20, 25)))
    assert inferred(tables).keys() == {(MISSING, "guestChecks.gstCnt")}
    read(tables, daily(range(10), count=40))
    assert inferred(tables) == {}


def test_what_came_more_than_half_a_year_before_is_not_usual(tables: Warehouse) -> None:
    """A field that ended long ago and came once more by chance is not missed again."""
    read(tables, daily(range(10), gstCnt=1))
    read(tables, daily(n for n in range(10, 220) if n != 200))
    read(tables, {200: a_day(200, count=1, gstCnt=1)})
    assert inferred(tables) == {}


def test_root_fields_and_the_list_itself_are_missed(tables: Warehouse) -> None:
    source = Source.CHARGE_BACK
    rows = {"chargeBacks": [{"chargeId": 1}], "storeId": STORE}
    days = {n: rows | {"busDt": str(FIRST + timedelta(days=n))} for n in range(30)}
    read(tables, days, source=source)
    read(tables, {n: {"storeId": STORE} for n in range(30, 41)}, source=source)
    assert inferred(tables).keys() == {(MISSING, "busDt"), (MISSING, "chargeBacks")}


def test_exports_miss_fields_on_the_day_of_most_of_their_checks(tables: Warehouse) -> None:
    """An export names no day; a check that stayed open over night is of another one."""

    def export(day: int, **fields: Any) -> Any:
        opened = [FIRST + timedelta(days=day - (n == 0)) for n in range(8)]
        rows = [full_check(10 * day + n, opnBusDt=str(on), **fields) for n, on in enumerate(opened)]
        where: dict[str, Any] = {"number": day, "key": f"raw/erp/{day}.json"}
        return prepared(checks(*rows), Source.ERP, **where).document

    tables.load(*(export(day, gstCnt=2) for day in range(1, 8)), *map(export, (8, 9)))
    row = inferred(tables)[MISSING, "guestChecks.gstCnt"]
    assert (row["since"], row["occurrences"]) == (FIRST + timedelta(days=8), 16)
    days = tables.query("SELECT count(*) AS days, count(field_counts) AS counted FROM store_days")
    assert days == [{"days": 10, "counted": 9}]


def test_the_empty_date_of_dotnet_beside_a_renamed_field_is_a_day_like_any_other(
    tables: Warehouse,
) -> None:
    """0001-01-01 has no week before it: reckoning with weeks once ended the consumer."""
    first = [full_check(n, opnBusDt="0001-01-01", subTtl=1) for n in range(30)]
    tables.load(prepared(checks(*first), number=1).document)
    renamed = [full_check(n, opnBusDt="0001-01-02", subTotal=1) for n in range(30)]
    tables.load(prepared(checks(*renamed), number=2, key="raw/erp/2.json").document)
    rows = report(tables)
    assert rows.keys() == {
        (MISSING, "guestChecks.subTtl"),
        (RENAMED, "guestChecks.subTotal"),
        (UNKNOWN, "guestChecks.subTotal"),
    }
    assert rows[MISSING, "guestChecks.subTtl"]["since"] == date(1, 1, 2)


CHANGES = (
    (15, lambda day: without_field(day, "gstCnt")),
    (20, lambda day: without_field(day, "subTtl", subTotal=1)),
    (25, lambda day: {k: v for k, v in day.items() if k != "curUTC"}),
)
EXPECTED: Kinds = {
    (MISSING, "guestChecks.gstCnt"),
    (MISSING, "guestChecks.subTtl"),
    (RENAMED, "guestChecks.subTotal"),
    (MISSING, "curUTC"),
}


def history() -> dict[int, Any]:
    """Write forty days in which the ERP changes three times; one check in ten lacks a table."""
    days = {}
    for number in range(40):
        day = a_day(number, gstCnt=2, tblName="9") | {"curUTC": "2024-02-01T00:00:00"}
        del day["guestChecks"][number % 5]["tblName"]
        for since, change in CHANGES:
            day = change(day) if number >= since else day
        days[number] = day
    return days


@pytest.mark.parametrize("seed", range(4))
def test_a_history_loaded_in_any_order_and_partly_twice_ends_with_the_same_report(
    tables: Warehouse, seed: int
) -> None:
    """Also backwards, and when documents of the new shape come first."""
    chance = random.Random(seed)
    days = history()
    order = sorted(days, reverse=True) if seed == 0 else chance.sample(sorted(days), len(days))
    order += chance.sample(order, 10)
    while order:
        batch = [order.pop(0) for _ in range(min(len(order), chance.randrange(1, 6)))]
        read(tables, {number: days[number] for number in dict.fromkeys(batch)})
    rows = inferred(tables)
    assert rows.keys() == EXPECTED
    assert rows[MISSING, "guestChecks.gstCnt"]["objects"] == 25
    assert rows[RENAMED, "guestChecks.subTotal"]["objects"] == 20
    assert rows[MISSING, "curUTC"]["since"] == FIRST + timedelta(days=25)
