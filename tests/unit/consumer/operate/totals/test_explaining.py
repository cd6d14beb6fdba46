"""Which checks explain a difference between two totals."""

from decimal import Decimal

import pytest

from consumer.operate.totals.explaining import Amounts, Candidate, explain


def amounts(*values: float | str) -> Amounts:
    return tuple(Decimal(str(value)) for value in values)


def check(number: int, *values: float | str, reason: str = "counted") -> Candidate:
    return Candidate(number, reason, amounts(*values))


DAY = [check(1, 10, 1), check(2, 25.5, 2), check(3, 7, 0.5), check(4, -40, -4, reason="cancelled")]


@pytest.mark.parametrize(
    ("difference", "explained"),
    [
        ((25.5, 2), [2]),
        ((-40, -4), [4]),
        ((17, 1.5), [1, 3]),
        ((2.5, -0.5), [1, 2, 3, 4]),
        ((25.5, 2.01), None),
        ((0, 0), None),
    ],
    ids=["one", "one that is not counted", "two", "four", "no tax of theirs", "nothing"],
)
def test_the_fewest_that_sum_to_it_in_every_column(
    difference: tuple[float, ...], explained: list[int] | None
) -> None:
    found = explain(amounts(*difference), DAY)
    assert explained == (found and [one.check_id for one in found.checks])


def test_what_belongs_together_comes_first() -> None:
    """Whoever books by closing date has neither what closes later, and all that opened before."""
    late = [check(10 + number, 3, 1, reason="closed_later") for number in range(3)]
    before = [check(20 + number, -2, -1, reason="opened_before") for number in range(2)]
    found = explain(amounts(5, 1), [check(1, 5, 1), *late, *before])
    assert found is not None
    assert [one.check_id for one in found.checks] == [10, 11, 12, 20, 21]


def test_others_that_do_as_well_are_told() -> None:
    found = explain(amounts(5), [check(1, 5), check(2, 5)])
    assert found is not None
    assert not found.is_only


def test_one_column_is_not_explained_by_many_since_many_sum_to_anything() -> None:
    parts = [check(number, 2**number) for number in range(4)]
    assert explain(amounts(7), parts) is None
    assert explain(amounts(3), parts) is not None


def test_a_day_of_many_checks_is_given_up() -> None:
    """All choices of four among a thousand would take weeks."""
    many = [check(number, number * 7 + 0.01, 1) for number in range(1000)]
    assert explain(amounts("0.005", 4), many) is None
