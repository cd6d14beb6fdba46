"""The derived validators say exactly what the contracts say."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.guest_checks import DetailLine, GuestCheck, Record, Tax
from schemas.store_days import FiscalInvoice, Transaction
from schemas.validation import validator

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
    by_contract = outcome(lambda: model.model_validate(record).model_dump(exclude_unset=True))
    assert by_contract == outcome(lambda: validator(model)(record))


def test_what_was_not_sent_is_not_there() -> None:
    assert {"guestCheckId": 1} == validator(GuestCheck)({"guestCheckId": Decimal("1.0")})


def outcome(validate: Callable[[], Any]) -> Any:
    """Return what validation made of a record, or where its errors are."""
    try:
        return validate()
    except ValidationError as error:
        return [found["loc"] for found in error.errors()]
