"""Which values each kind of field takes: exact ones, and nothing that would have to be guessed."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.fields import (
    BusinessDate,
    Flag,
    Int64,
    Number,
    RecordId,
    ScalarText,
    StoreId,
    Text,
    UtcTime,
)

NOT_A_NUMBER = Decimal("NaN")
INFINITE = Decimal("Infinity")
MINUS_THREE = timezone(timedelta(hours=-3))

ACCEPTED: list[tuple[Any, Any, Any]] = [
    (Int64, 0, 0),
    (Int64, 9_988_776_655, 9_988_776_655),
    (Int64, 2**63 - 1, 2**63 - 1),
    (Int64, -(2**63), -(2**63)),
    (Int64, Decimal("5.0"), 5),
    (Int64, Decimal("1E+3"), 1000),
    (Int64, "9988776655", 9_988_776_655),
    (Int64, "-9223372036854775808", -(2**63)),
    (Int64, "007", 7),
    (Int64, "5.0", 5),
    (Int64, "1e3", 1000),
    (Number, 5, Decimal(5)),
    (Number, Decimal("5.10"), Decimal("5.10")),
    (Number, Decimal("-0.333333"), Decimal("-0.333333")),
    (Number, Decimal("12345678901234567890.123456789"), Decimal("12345678901234567890.123456789")),
    (Number, -(10**28) + 1, Decimal(-(10**28) + 1)),
    (Number, Decimal("1E+27"), Decimal("1E+27")),
    (Number, Decimal("-9.9E+27"), Decimal("-9.9E+27")),
    (Number, Decimal("1E-10"), Decimal("1E-10")),
    (Number, Decimal("9" * 28 + "." + "9" * 10), Decimal("9" * 28 + "." + "9" * 10)),
    (Number, "1e27", Decimal("1E+27")),
    (Number, "109.90", Decimal("109.90")),
    (Number, "-1e3", Decimal("-1E+3")),
    (Text, "90", "90"),
    (Text, "", ""),
    (Text, 'Joe "J"', 'Joe "J"'),
    (Text, 90, "90"),
    (Text, Decimal("1.50"), "1.50"),
    (Text, True, "true"),
    (ScalarText, True, "true"),
    (ScalarText, False, "false"),
    (ScalarText, 7, "7"),
    (ScalarText, "x", "x"),
    (RecordId, 1, "1"),
    (RecordId, Decimal("1.0"), "1"),
    (RecordId, Decimal("1.5"), "1.5"),
    (RecordId, "001", "001"),
    (RecordId, "x" * 400, "x" * 400),
    (Flag, True, True),
    (Flag, False, False),
    (Flag, 0, False),
    (Flag, 1, True),
    (UtcTime, "2024-01-31T13:45:00", datetime.fromisoformat("2024-01-31T13:45:00")),
    (UtcTime, "2024-01-31T13:45:00.5", datetime.fromisoformat("2024-01-31T13:45:00.500")),
    (UtcTime, "2024-01-31 13:45", datetime.fromisoformat("2024-01-31T13:45:00")),
    (UtcTime, "2024-01-31T13:45:00Z", datetime(2024, 1, 31, 13, 45, tzinfo=UTC)),
    (UtcTime, "2024-01-31T13:45:00-03:00", datetime(2024, 1, 31, 13, 45, tzinfo=MINUS_THREE)),
    (BusinessDate, "2024-01-31", date(2024, 1, 31)),
    (BusinessDate, "2024-02-29", date(2024, 2, 29)),
    (BusinessDate, "2024-01-31T00:00:00", date(2024, 1, 31)),
]

REFUSED: list[tuple[Any, Any]] = [
    (Number, 10**28),
    (Number, -(10**28)),
    (Number, Decimal("1E+28")),
    (Number, Decimal("1E+99999")),
    (Number, Decimal("0E+99999")),
    (Number, Decimal("9" * 100_000)),
    (Number, Decimal("1E-11")),
    (Number, Decimal("0.12345678901")),
    (Number, "1e28"),
    (Number, "1e99999"),
    (Number, "0.12345678901"),
    *(
        (kind, value)
        for kind in (Int64, Number, Flag)
        for value in ("", "x", [], {}, [1], {"a": 1})
    ),
    *((kind, value) for kind in (Text, ScalarText, RecordId) for value in ([], {}, [1], {"a": 1})),
    *((kind, value) for kind in (UtcTime, BusinessDate) for value in (0, 1, True, [], {}, "")),
    *((kind, value) for kind in (Int64, Number, StoreId) for value in (True, False)),
    *(
        (kind, value)
        for kind in (Int64, Number, Text, ScalarText, RecordId, Flag)
        for value in (NOT_A_NUMBER, INFINITE, -INFINITE)
    ),
    (Int64, 2**63),
    (Int64, -(2**63) - 1),
    (Int64, "9223372036854775808"),
    (Int64, Decimal("5.5")),
    (Int64, Decimal("1E+999999")),
    (Int64, "5.5"),
    (Int64, " 5"),
    (Int64, "5_000"),
    (Number, "1,5"),
    (Number, "1_000"),
    (Number, " 1"),
    (Number, "NaN"),
    (Number, "Infinity"),
    (Number, "1e9999"),
    (Number, "٣"),
    (RecordId, "x" * 401),
    (RecordId, Decimal("9" * 500)),
    (Flag, 2),
    (Flag, -1),
    (Flag, "true"),
    (Flag, Decimal(1)),
    (UtcTime, "2024-02-30T00:00:00"),
    (UtcTime, "2024-01-31"),
    (UtcTime, "2024-01-31T25:00:00"),
    (UtcTime, "2024-01-31T13:45:00+16:00"),
    (UtcTime, "2024-01-31T13:45:00 Brasilia"),
    (UtcTime, "0000-01-01T00:00:00"),
    (UtcTime, "1704164645"),
    (UtcTime, "Wed, 31 Jan 2024 13:45:00 GMT"),
    (BusinessDate, "2024-02-30"),
    (BusinessDate, "2024-1-31"),
    (BusinessDate, "31/01/2024"),
    (BusinessDate, "20240131"),
    (BusinessDate, "2024-01-31T13:45:00"),
    (BusinessDate, "0000-01-01"),
    (BusinessDate, "19723"),
]


def validated(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(("kind", "value", "expected"), ACCEPTED)
def test_an_exact_value_is_taken(kind: Any, value: Any, expected: Any) -> None:
    taken = validated(kind, value)
    assert expected == taken
    assert str(expected) == str(taken)


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_a_value_that_would_have_to_be_guessed_is_refused_with_one_error(
    kind: Any, value: Any
) -> None:
    with pytest.raises(ValidationError) as refused:
        validated(kind, value)
    [error] = refused.value.errors()
    assert error["msg"].startswith("expected ")


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_integer_is_taken_bare_and_in_quotes(value: int) -> None:
    assert value == validated(Int64, value) == validated(Int64, str(value))


@given(st.decimals(-(10**27), 10**27, places=6))
def test_every_amount_keeps_its_digits_bare_and_in_quotes(value: Decimal) -> None:
    assert str(value) == str(validated(Number, value))
    assert value == validated(Number, str(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "kind", [Int64, Number, Text, ScalarText, RecordId, Flag, UtcTime, BusinessDate]
)
@given(value=JSON)
def test_any_json_value_is_taken_or_refused_without_a_crash(kind: Any, value: Any) -> None:
    """What is taken has the type that the database's column needs."""
    types = {
        Int64: int,
        Number: (int, Decimal),
        Flag: bool,
        UtcTime: datetime,
        BusinessDate: date,
    }
    try:
        taken = validated(kind, value)
    except ValidationError:
        return
    assert isinstance(taken, types.get(kind, str))
