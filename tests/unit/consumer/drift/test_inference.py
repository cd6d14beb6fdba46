"""What the days of stores say together: the rules, on counts made by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consumer.drift.findings import MISSING, RENAMED, UNKNOWN
from consumer.drift.inference import Stopped, infer

DAY = date(2024, 3, 1)
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
LEVEL = "guestChecks"
SUB_TTL, SUB_TOTAL = f"{LEVEL}.subTtl", f"{LEVEL}.subTotal"
LINE = 'add to the alias file: [getGuestChecks] "guestChecks.subTtl" = ["subTotal"]'


def stopped(store: str = "A", days: int = 0, path: str = SUB_TTL, **changed: Any) -> Stopped:
    """Say that a field was always filled in a hundred checks a day, and then in none."""
    always = Stopped(
        source="erp",
        store_id=store,
        path=path,
        since=DAY + timedelta(days=days),
        records=100,
        documents=1,
        records_before=1000,
        filled_before=1000,
        lacking_before=0,
        last_records={LEVEL: 100},
        last_fields={path: 100},
        first_records={LEVEL: 100},
        first_fields={},
        first_seen=NOON + timedelta(days=days),
        last_seen=NOON + timedelta(days=days + 5),
        first_object_key=f"{store} {days}",
        last_object_key=f"{store} {days + 5}",
    )
    return replace(always, **changed)


def unknown(path: str = SUB_TOTAL, kind: str | None = "number") -> dict[str, Any]:
    """Return a row of `schema_drift` of an unknown field."""
    return {"source": "erp", "path": path, "kind": UNKNOWN, "detail": kind, "occurrences": 7}


def kinds(fields: list[Stopped], *seen: dict[str, Any]) -> set[tuple[str, str]]:
    return {(row["kind"], row["path"]) for row in infer(fields, seen)}


@pytest.mark.parametrize(
    ("field", "is_missing"),
    [
        pytest.param(stopped(), True, id="a day without"),
        pytest.param(stopped(records=10), True, id="ten records"),
        pytest.param(stopped(records=9, documents=9), False, id="nine records"),
        pytest.param(stopped(lacking_before=1), False, id="one document lacked it before"),
        pytest.param(stopped(lacking_before=1, documents=2), True, id="and now two"),
        pytest.param(stopped(path=SUB_TOTAL), False, id="no contract names it"),
    ],
)
def test_a_field_is_missing_if_more_came_without_it_than_ever_before(
    field: Stopped, *, is_missing: bool
) -> None:
    assert kinds([field]) == ({(MISSING, SUB_TTL)} if is_missing else set())


def test_a_missing_field_is_one_row_with_all_its_stores() -> None:
    [row] = infer([stopped("B"), stopped("A", 3, records=50), stopped("C", -2, documents=4)], [])
    assert row == {
        "source": "erp",
        "path": SUB_TTL,
        "kind": MISSING,
        "detail": None,
        "occurrences": 250,
        "objects": 6,
        "first_seen": NOON - timedelta(days=2),
        "last_seen": NOON + timedelta(days=8),
        "first_object_key": "C -2",
        "last_object_key": "A 8",
        "last_store_id": "A",
        "last_bus_dt": None,
        "since": DAY - timedelta(days=2),
        "stores": ["A", "B", "C"],
    }


def replaced(count: int = 100, path: str = SUB_TOTAL, **changed: Any) -> Stopped:
    return stopped(first_fields={path: count}, **changed)


def test_an_unknown_field_in_the_place_of_one_that_is_gone_is_its_new_name() -> None:
    """However few the records; the row has the numbers of the unknown field."""
    field = replaced(1, first_records={LEVEL: 1}, records=1)
    renamed, missing = infer([field], [unknown()])
    assert (renamed["kind"], renamed["detail"], renamed["occurrences"]) == (RENAMED, LINE, 7)
    assert (renamed["since"], renamed["stores"]) == (DAY, ["A"])
    assert (missing["kind"], missing["path"]) == (MISSING, SUB_TTL)


@pytest.mark.parametrize(
    ("field", "row"),
    [
        pytest.param(replaced(49), unknown(), id="too seldom to fill the place"),
        pytest.param(replaced(101), unknown(), id="in more records than there are"),
        pytest.param(replaced(), unknown(kind="text"), id="of another type"),
        pytest.param(replaced(), unknown(kind=None), id="of no known type"),
        pytest.param(replaced(path=f"{LEVEL}.zzz"), unknown(f"{LEVEL}.zzz"), id="another name"),
        pytest.param(replaced(path="subTotal"), unknown("subTotal"), id="elsewhere"),
        pytest.param(
            replaced(last_fields={SUB_TTL: 100, SUB_TOTAL: 1}), unknown(), id="it came beside it"
        ),
        pytest.param(stopped(), unknown(), id="not on the first day without"),
    ],
)
def test_a_field_that_does_not_take_the_place_of_another_is_no_rename(
    field: Stopped, row: dict[str, Any]
) -> None:
    assert kinds([field], row) == {(MISSING, SUB_TTL)}


def test_on_the_day_of_a_release_some_checks_have_the_old_name_and_some_the_new_one() -> None:
    field = replaced(last_fields={SUB_TTL: 40, SUB_TOTAL: 60})
    assert (RENAMED, SUB_TOTAL) in kinds([field], unknown())


def test_a_field_that_comes_as_two_types_may_stand_for_one_of_either() -> None:
    assert (RENAMED, SUB_TOTAL) in kinds([replaced()], unknown(kind="number or text"))


def test_of_two_fields_that_are_gone_the_more_alike_is_renamed() -> None:
    both = [stopped(path=f"{LEVEL}.chkTtl", records=1), replaced(records=1)]
    assert kinds(both, unknown()) == {(MISSING, SUB_TTL), (RENAMED, SUB_TOTAL)}


def test_a_rename_is_told_for_the_stores_that_have_it_already() -> None:
    """The ERP's release goes from store to store."""
    rows = infer([replaced(store="A"), replaced(store="B", days=9)], [unknown()])
    assert [(row["kind"], row["stores"], row["since"]) for row in rows] == [
        (RENAMED, ["A", "B"], DAY),
        (MISSING, ["A", "B"], DAY),
    ]
