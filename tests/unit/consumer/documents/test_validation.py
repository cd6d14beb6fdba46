"""The derived validators say exactly what the contracts say."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consumer.documents.validation import every_error, validator
from schemas.fields import Record
from schemas.guest_checks import DetailLine, GuestCheck, Tax
from schemas.store_days import FiscalInvoice, Transaction

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["2024-01-31", "2024-02-30", "2024-01-31T10:00:00", "12", "1.5"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
MODELS: list[type[Record]] = [GuestCheck, DetailLine, Tax, FiscalInvoice, Transaction]


@st.composite
def records(draw: st.DrawFn) -> tuple[type[Record], dict[str, Any]]:
    """Draw a contract and a record with some of its fields, filled with anything."""
    model = draw(st.sampled_from(MODELS))
    names = st.sampled_from([*model.model_fields, "someUnknownField"])
    return model, draw(st.dictionaries(names, VALUES, max_size=8))


@given(records())
def test_a_record_is_taken_or_refused_as_its_contract_does(
    drawn: tuple[type[Record], dict[str, Any]],
) -> None:
    model, record = drawn
    try:
        expected = model.model_validate(record)
    except ValidationError as error:
        with pytest.raises(ValidationError) as refused:
            validator(model)(record)
        everything = every_error(model, record, refused.value)
        # Not in the block above: an assertion is no error of validation.
        found = (locations(error), locations(everything))
    else:
        found = (expected.model_dump(exclude_unset=True), validator(model)(record))
    assert found[0] == found[1]


def test_what_was_not_sent_is_not_there() -> None:
    assert {"guestCheckId": 1} == validator(GuestCheck)({"guestCheckId": Decimal("1.0")})


def test_of_a_huge_record_the_first_errors_are_enough() -> None:
    check = {"guestCheckId": 1, "taxes": [{}] * 5000, "detailLines": [{}] * 5000}
    with pytest.raises(ValidationError) as refused:
        validator(GuestCheck)(check)
    assert 2 == every_error(GuestCheck, check, refused.value).error_count()


def test_of_a_usual_record_every_error_is_named() -> None:
    check = {"guestCheckId": 1, "taxes": [{}, {}], "detailLines": [{}]}
    with pytest.raises(ValidationError) as refused:
        validator(GuestCheck)(check)
    assert 3 == every_error(GuestCheck, check, refused.value).error_count()


def locations(error: ValidationError) -> list[Any]:
    return [found["loc"] for found in error.errors()]
