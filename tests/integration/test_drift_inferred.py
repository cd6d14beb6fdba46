"""Drift that only many documents tell, inferred on a real database whatever the order of loading."""

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from consumer.drift.findings import MISSING, RENAMED, RETYPED, UNKNOWN
from consumer.errors import Permanent
from schemas.aliases import load_aliases
from schemas.registry import Source
from tests.conftest import Servers
from tests.support.databases import own_database
from tests.support.drifting import Process
from tests.support.samples import STORE, checks, day_list, full_check
from tests.support.warehouse import Warehouse, open_warehouse

FIRST = date(2024, 1, 1)
SOURCE = Source.GUEST_CHECKS
Kinds = set[tuple[str, str]]


@pytest.fixture(scope="module")
def migrated(stack: Servers) -> Iterator[Warehouse]:
    """Give the tables of a database for the module."""
    with own_database(stack.environment) as database, open_warehouse(database, 1) as warehouse:
        yield warehouse


@pytest.fixture
def tables(migrated: Warehouse) -> Warehouse:
    """Give the module's tables, without what other tests counted."""
    migrated.query("WITH gone AS (DELETE FROM schema_drift) SELECT 1")
    migrated.query("WITH gone AS (DELETE FROM schema_fields) SELECT 1")
    return migrated


@pytest.fixture
def process(tables: Warehouse) -> Process:
    """Give a consumer that has seen nothing yet."""
    assert tables.query("SELECT * FROM schema_fields") == []
    return Process(tables)


def found(tables: Warehouse) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what was inferred, by kind and path."""
    rows = tables.query("SELECT * FROM schema_drift WHERE inferred")
    return {(row["kind"], row["path"]): row for row in rows}


def a_day(number: int, count: int = 5, **fields: Any) -> dict[str, Any]:
    """Write a day's answer: so many checks, all with some fields."""
    return checks(*(full_check(100 * number + n, subTtl=1, **fields) for n in range(count)))


def without(document: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    """Take a field from all checks of a day, and give them another."""
    rows = [{k: v for k, v in row.items() if k != name} | more for row in document["guestChecks"]]
    return document | {"guestChecks": rows}


def read(process: Process, days: Mapping[int, Any], store: str = STORE) -> None:
    """Load days by their numbers, in the order given, and share what was counted."""
    for number, sent in days.items():
        document = sent | ({"locRef": store} if "locRef" in sent else {})
        where = {"day": FIRST + timedelta(days=number), "number": number, "store": store}
        process.staged(document, SOURCE, key=f"day {number}", **where)
    process.share()


def usual(days: Iterable[int], **fields: Any) -> dict[int, Any]:
    return {number: a_day(number, **fields) for number in days}


def test_a_field_that_stops_coming_is_missing_since_then_and_in_those_objects(
    process: Process, tables: Warehouse
) -> None:
    read(process, usual([*range(10), *range(40, 50)]))
    one_check_lacks_it = without(a_day(2, count=1), "subTtl")
    read(process, {2: one_check_lacks_it})
    read(process, {n: without(a_day(n), "subTtl") for n in range(50, 53)})
    row = found(tables)[MISSING, "guestChecks.subTtl"]
    assert (row["occurrences"], row["objects"]) == (15, 3)
    assert (row["first_object_key"], row["last_object_key"]) == ("day 50", "day 52")
    assert (row["first_seen"].second, row["last_seen"].second) == (50, 52)


def test_a_field_that_nearly_always_came_is_missed_as_well(
    process: Process, tables: Warehouse
) -> None:
    """Filled in 49 of 50 checks until it vanishes."""
    days = usual(range(10), count=50, gstCnt=2)
    for document in days.values():
        del document["guestChecks"][7]["gstCnt"]
    read(process, days)
    read(process, usual([10, 11]))
    assert found(tables).keys() == {(MISSING, "guestChecks.gstCnt")}


def test_documents_too_small_to_tell_raise_no_alarm(process: Process, tables: Warehouse) -> None:
    """Of a field that one check in ten lacks, single checks lack it now and then."""
    days = usual(range(10), count=50, gstCnt=2)
    for document in days.values():
        for number in range(0, 50, 10):
            del document["guestChecks"][number]["gstCnt"]
    read(process, days)
    small = {n: a_day(n, count=1, **({} if n % 10 else {"tblName": "9"})) for n in range(10, 30)}
    for number, document in small.items():
        if number % 7:
            document["guestChecks"][0]["gstCnt"] = 2
    read(process, small)
    assert found(tables) == {}


def test_a_field_that_comes_seldom_is_never_missing(process: Process, tables: Warehouse) -> None:
    days = usual(range(30), count=20)
    for number in (3, 4, 5):
        for check in days[number]["guestChecks"]:
            check["chkRef"] = "7"
    read(process, days)
    assert found(tables) == {}


@pytest.mark.parametrize("backwards", [False, True])
def test_a_field_that_is_new_was_not_missing_before(
    process: Process, tables: Warehouse, *, backwards: bool
) -> None:
    """Also when the history is loaded from its end."""
    days = {n: a_day(n, **({"gstCnt": 1} if n >= 10 else {})) for n in range(20)}
    for part in (range(19, 9, -1), range(9, -1, -1)) if backwards else (range(10), range(10, 20)):
        read(process, {number: days[number] for number in part})
    assert found(tables) == {}


def test_one_store_that_stops_sending_a_field_is_told(process: Process, tables: Warehouse) -> None:
    read(process, usual(range(10)), "A")
    read(process, usual(range(20)), "B")
    read(process, {n: without(a_day(n), "subTtl") for n in range(10, 20)}, "A")
    row = found(tables)[MISSING, "guestChecks.subTtl"]
    assert (row["objects"], row["first_object_key"]) == (10, "day 10")


def test_open_and_partial_checks_miss_nothing(process: Process, tables: Warehouse) -> None:
    """What they lack, they lack for a reason: at noon all of a day's checks are open."""
    read(process, usual(range(10), clsdUTC="2024-01-01T10:00:00", clsdFlag=True))
    read(process, {10: without(a_day(10, count=30, clsdFlag=False), "subTtl")})
    read(process, {11: checks(*({"guestCheckId": n, "gstCnt": 1} for n in range(30)))})
    assert found(tables) == {}


def test_a_finding_is_taken_back_when_older_documents_say_otherwise(
    process: Process, tables: Warehouse
) -> None:
    read(process, usual(range(10, 20), gstCnt=1))
    read(process, usual(range(20, 25)))
    assert found(tables).keys() == {(MISSING, "guestChecks.gstCnt")}
    read(process, usual(range(10), count=40))
    assert found(tables) == {}


def test_a_scalar_renamed_is_suspected_with_the_line_for_the_alias_file(
    process: Process, tables: Warehouse
) -> None:
    """A single check is enough, when the new name fills the place of one that always came."""
    read(process, usual(range(5)))
    read(process, {5: without(a_day(5, count=1), "subTtl", subTotal=1)})
    rows = found(tables)
    assert rows.keys() == {(MISSING, "guestChecks.subTtl"), (RENAMED, "guestChecks.subTotal")}
    row = rows[RENAMED, "guestChecks.subTotal"]
    assert row["detail"] == (
        'add to the alias file: [getGuestChecks] "guestChecks.subTtl" = ["subTotal"]'
    )
    assert (row["occurrences"], row["objects"], row["first_object_key"]) == (1, 1, "day 5")


def test_a_new_field_beside_the_old_one_is_no_rename(process: Process, tables: Warehouse) -> None:
    read(process, usual(range(5)))
    read(process, usual(range(5, 10), subTotal=1))
    assert found(tables) == {}


def test_a_field_that_came_before_is_no_rename_of_one_that_goes(
    process: Process, tables: Warehouse
) -> None:
    read(process, usual(range(5), subTotal=1))
    read(process, {n: without(a_day(n, subTotal=1), "subTtl") for n in range(5, 10)})
    assert found(tables).keys() == {(MISSING, "guestChecks.subTtl")}


def test_the_version_of_checks_renamed_is_suspected_though_they_seem_partial(
    process: Process, tables: Warehouse
) -> None:
    read(process, usual(range(5)))
    renamed = without(a_day(5), "lastUpdatedUTC", lastUpdUTC="2024-01-01T10:00:00")
    read(process, {5: renamed})
    assert (RENAMED, "guestChecks.lastUpdUTC") in found(tables)


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [("curUTC", "currentUTC", "curUTC"), ("locRef", "locationRef", "storeId")],
)
def test_a_root_field_renamed_is_suspected_with_the_line_for_the_alias_file(
    process: Process, tables: Warehouse, old: str, new: str, known: str
) -> None:
    root = {"curUTC": "2024-01-02T00:00:00", "locRef": STORE}
    read(process, {n: {**root, "guestChecks": []} for n in range(25)})
    assert found(tables) == {}
    changed = {new if name == old else name: value for name, value in root.items()}
    read(process, {n: {**changed, "guestChecks": []} for n in range(25, 27)})
    rows = found(tables)
    assert rows.keys() == {(MISSING, known), (RENAMED, new)}
    line = rows[RENAMED, new]["detail"].removeprefix("add to the alias file: [getGuestChecks] ")
    aliases = load_aliases(f"[getGuestChecks]\n{line}")
    assert (new, known) in aliases.at(SOURCE, "")


def test_root_fields_and_the_list_itself_are_missed(process: Process, tables: Warehouse) -> None:
    source = Source.CHARGE_BACK
    for number in range(30):
        process.staged(day_list(source, {"chargeId": 1}), source, number=number)
    for number in range(30, 36):
        process.staged({"storeId": STORE}, source, number=number)
    process.share()
    assert found(tables).keys() == {(MISSING, "busDt"), (MISSING, "chargeBacks")}


def test_a_document_refused_for_its_root_is_told(process: Process, tables: Warehouse) -> None:
    """No batch loads it, and its log says the same; but it is drift as well."""
    for document in (
        {"locRef": STORE, "curUTC": 1704067200, "guestChecks": []},
        {"locRef": STORE, "checks": [full_check(1)]},
    ):
        with pytest.raises(Permanent):
            process.staged(document, SOURCE)
    process.share()
    rows = tables.query("SELECT path, kind, detail, occurrences FROM schema_drift ORDER BY 1, 2")
    assert rows == [
        {
            "path": "checks",
            "kind": RENAMED,
            "detail": 'add to the alias file: [getGuestChecks] "guestChecks" = ["checks"]',
            "occurrences": 1,
        },
        {"path": "checks", "kind": UNKNOWN, "detail": None, "occurrences": 1},
        {"path": "curUTC", "kind": RETYPED, "detail": "expected text", "occurrences": 1},
    ]


CHANGES = (
    (15, lambda day: without(day, "gstCnt")),
    (20, lambda day: without(day, "subTtl", subTotal=1)),
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
def test_a_history_loaded_in_any_order_by_several_processes_ends_with_the_same_report(
    tables: Warehouse, seed: int
) -> None:
    """Also backwards, and when documents of the new shape come first."""
    chance = random.Random(seed)
    processes = [Process(tables) for _ in range(3)]
    days = history()
    order = sorted(days, reverse=True) if seed == 0 else chance.sample(sorted(days), len(days))
    for number in order:
        process = chance.choice(processes)
        day = FIRST + timedelta(days=number)
        process.staged(days[number], SOURCE, day=day, number=chance.randrange(10**6))
        if chance.random() < 0.1:
            process.share()
    for process in processes:
        process.share()
    rows = found(tables)
    assert rows.keys() == EXPECTED
    assert rows[MISSING, "guestChecks.gstCnt"]["objects"] == 25
    assert rows[RENAMED, "guestChecks.subTotal"]["objects"] == 20
