"""What counts of many documents say: the rules, on counts made by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from consumer.drift.findings import MISSING, RENAMED
from consumer.drift.inference import Absence, Inferred, Newcomer, infer

DAY = date(2024, 3, 1)
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
SUB_TTL, SUB_TOTAL = "guestChecks.subTtl", "guestChecks.subTotal"
LINE = 'add to the alias file: [getGuestChecks] "guestChecks.subTtl" = ["subTotal"]'


def absence(
    absent: int,
    of: int,
    *,
    before: tuple[int, int] = (1000, 1000),
    absent_before: int = 0,
    objects: int = 1,
    days: int = 0,
    path: str = SUB_TTL,
) -> Absence:
    """Say how many records came without the field, of how many; before, (filled, records)."""
    filled_before, records_before = before
    return Absence(
        "erp",
        path,
        DAY + timedelta(days=days),
        DAY + timedelta(days=days),
        NOON + timedelta(days=days),
        absent,
        records_before,
        filled_before,
        absent_before,
        of,
        absent,
        objects,
    )


def newcomer(
    filled: int, days: int = 0, path: str = SUB_TOTAL, kind: str = "number", source: str = "erp"
) -> Newcomer:
    day = DAY + timedelta(days=days)
    return Newcomer(source, path, kind, day, day, NOON + timedelta(days=days), filled)


@pytest.mark.parametrize(
    ("found", "unlikely"),
    [
        pytest.param(absence(500, 500), True, id="a week without"),
        pytest.param(absence(2, 2), True, id="always filled, in a thousand"),
        pytest.param(absence(1, 1), False, id="one record says little"),
        pytest.param(absence(5, 5, before=(20, 20)), True, id="twenty are enough for five"),
        pytest.param(absence(4, 4, before=(20, 20)), False, id="and not for four"),
        pytest.param(absence(100, 100, before=(980, 1000)), True, id="98 % and gone"),
        pytest.param(absence(100, 5000, before=(9800, 10_000)), True, id="one store of fifty"),
        pytest.param(
            absence(40, 1000, before=(960, 1000), objects=40, absent_before=0),
            False,
            id="documents of one record, of which one in 25 lacks it",
        ),
        pytest.param(
            absence(60, 1000, absent_before=50), False, id="documents without it came before"
        ),
        pytest.param(absence(900, 1000, absent_before=50), True, id="but not so many"),
    ],
)
def test_a_field_is_missing_if_chance_does_not_explain_documents_without_it(
    found: Absence, *, unlikely: bool
) -> None:
    expected = [Inferred("erp", SUB_TTL, MISSING, None, DAY)] if unlikely else []
    assert infer([found], []) == expected


def test_a_field_is_missing_since_the_first_week_that_chance_does_not_explain() -> None:
    weeks = [absence(1, 500), absence(500, 500, days=7), absence(500, 500, days=14)]
    assert [finding.since for finding in infer(weeks, [])] == [DAY + timedelta(days=7)]


def test_a_new_field_in_the_place_of_one_that_is_gone_is_its_new_name() -> None:
    assert infer([absence(1, 1)], [newcomer(1)]) == [
        Inferred("erp", SUB_TTL, MISSING, None, DAY),
        Inferred("erp", SUB_TOTAL, RENAMED, LINE, DAY),
    ]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([newcomer(40)], id="too seldom to fill the place"),
        pytest.param([newcomer(101)], id="also where the other is"),
        pytest.param([newcomer(100, days=7)], id="in another week"),
        pytest.param([newcomer(100, kind="text")], id="of another type"),
        pytest.param([newcomer(100, path="guestChecks.zzz")], id="of another name"),
        pytest.param(
            [newcomer(100, path="chargeBacks.subTotal", source="getChargeBack")], id="elsewhere"
        ),
        pytest.param([newcomer(500, days=-9), newcomer(100)], id="it came before as well"),
    ],
)
def test_a_field_that_does_not_take_the_place_of_another_is_no_rename(
    seen: list[Newcomer],
) -> None:
    assert infer([absence(100, 100)], seen) == [Inferred("erp", SUB_TTL, MISSING, None, DAY)]


def test_what_came_now_and_then_before_may_have_become_the_new_name() -> None:
    """As when the ERP changes store by store: the second store's change is one as well."""
    seen = [newcomer(400, days=-9), newcomer(100)]
    assert RENAMED in {finding.kind for finding in infer([absence(100, 100)], seen)}


def test_what_came_more_than_half_a_year_ago_is_new_again() -> None:
    seen = [newcomer(900, days=-200), newcomer(100)]
    assert RENAMED in {finding.kind for finding in infer([absence(100, 100)], seen)}


def test_of_two_fields_that_are_gone_the_more_alike_is_renamed() -> None:
    both = [absence(100, 100, path="guestChecks.chkTtl"), absence(100, 100)]
    renamed = [found for found in infer(both, [newcomer(100)]) if found.kind == RENAMED]
    assert renamed == [Inferred("erp", SUB_TOTAL, RENAMED, LINE, DAY)]
