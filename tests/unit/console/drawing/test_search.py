"""What somebody may have meant by what they wrote."""

from datetime import date

import pytest

from console.drawing.search import meaning


@pytest.mark.parametrize(
    ("words", "check_id"),
    [
        ("4040000123", 4040000123),
        ("-5", -5),
        ("9223372036854775808", None),
        ("²", None),
        ("1e3", None),
    ],
)
def test_a_check_id_is_what_the_column_can_hold(words: str, check_id: int | None) -> None:
    assert meaning(words).check_id == check_id


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("2024-06-01", date(2024, 6, 1)), ("01/06/2024", date(2024, 6, 1)), ("20240601", date(2024, 6, 1)),
        ("2024-02-30", None), ("9999-12-31", None), ("0001-01-01", None),
    ],
)  # fmt: skip
def test_a_day_is_read_as_people_write_it(words: str, day: date | None) -> None:
    assert meaning(words).day == day


def test_a_key_is_read_as_far_as_it_is_written() -> None:
    stem = "raw/api_responses/getGuestChecks/busDt=2024-06-01"
    found = meaning(f"s3://lake/{stem}/storeId=S%C3%A3o%20Jo%C3%A3o/2")
    assert found.key == f"{stem}/storeId=S%C3%A3o%20Jo%C3%A3o/2"
    assert (found.key_day, found.key_store) == (date(2024, 6, 1), "São João")
    assert meaning(stem).key_day == date(2024, 6, 1)
    assert meaning(f"{stem}/storeId=0").key_store is None
    assert meaning("raw/erp/full.json").key_day is None
