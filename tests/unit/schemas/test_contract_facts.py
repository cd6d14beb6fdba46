"""Each field that the ERP is known to send is in its contract, with its type, and may be missing."""

from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from consumer.documents.quarantine import record_errors
from consumer.documents.validation import validator
from schemas.columns import field_types
from schemas.fields import Int64, Record
from schemas.guest_checks import LINE_TYPES, GuestCheck, Tax
from schemas.registry import ENDPOINTS, Source
from tests.support.facts import CONTRACTS, KINDS, LISTS, SUB_OBJECTS

FIELDS = [
    pytest.param(model, name, KINDS[kind], keys, id=f"{model.__name__}.{name}")
    for model, fields, keys in CONTRACTS
    for name, kind in fields.items()
]
NESTED = {"taxes", "detailLines", *SUB_OBJECTS}


def record_with(keys: tuple[str, ...], **fields: Any) -> dict[str, Any]:
    """Give a record its keys and a field."""
    return dict.fromkeys(keys, 1) | fields


@pytest.mark.parametrize(("model", "name", "kind", "keys"), FIELDS)
def test_a_field_is_read_as_what_it_is_and_keeps_its_digits(
    model: type[Record], name: str, kind: Any, keys: tuple[str, ...]
) -> None:
    for sent, meant in kind.taken:
        read = validator(model)(record_with(keys, **{name: sent}))[name]
        assert (type(meant), meant) == (type(read), read)
        if isinstance(meant, Decimal):
            assert meant.as_tuple() == read.as_tuple()


@pytest.mark.parametrize(("model", "name", "kind", "keys"), FIELDS)
def test_a_field_of_another_type_is_an_error_at_its_name_that_says_what_would_be_accepted(
    model: type[Record], name: str, kind: Any, keys: tuple[str, ...]
) -> None:
    for sent in kind.refused:
        with pytest.raises(ValidationError) as refused:
            validator(model)(record_with(keys, **{name: sent}))
        [error] = refused.value.errors()
        assert (name,) == error["loc"], sent
        assert error["msg"].startswith("expected "), sent


@pytest.mark.parametrize(("model", "name", "kind", "keys"), FIELDS)
def test_a_field_may_be_null_and_may_be_missing_unless_it_is_the_key(
    model: type[Record], name: str, kind: Any, keys: tuple[str, ...]
) -> None:
    """And missing is not null: what was not sent is not there."""
    without = record_with(keys)
    without.pop(name, None)
    if name in keys:
        for record in (without, {**without, name: None}):
            with pytest.raises(ValidationError):
                validator(model)(record)
    else:
        assert name not in validator(model)(dict(without))
        assert validator(model)({**without, name: None})[name] is None


def test_a_contract_names_these_fields_and_no_others() -> None:
    for model, fields, _ in CONTRACTS:
        assert fields.keys() == model.model_fields.keys() - NESTED, model.__name__


def test_the_sub_objects_name_the_line_s_type_in_this_order() -> None:
    expected = [(name, line_type) for name, (line_type, _, _) in SUB_OBJECTS.items()]
    assert expected == list(LINE_TYPES.items())


@pytest.mark.parametrize("children", ["taxes", "detailLines"])
@pytest.mark.parametrize("value", [None, []])
def test_a_check_may_have_no_taxes_and_no_lines(children: str, value: Any) -> None:
    check = {"guestCheckId": 1, children: value}
    assert check == validator(GuestCheck)(dict(check))


@pytest.mark.parametrize("source", list(LISTS))
def test_a_list_endpoint_has_this_path_root_list_id_and_table(source: str) -> None:
    facts = LISTS[source]
    shape = Source(source).entry
    [endpoint] = [found for found in ENDPOINTS if found.name == source]
    assert (facts.path, facts.root, facts.id_field, facts.table) == (
        endpoint.path,
        shape.list_field,
        shape.id_field,
        shape.table,
    )


def test_guest_checks_come_from_their_endpoint_and_from_exports_under_one_name() -> None:
    [endpoint] = [found for found in ENDPOINTS if found.source is Source.GUEST_CHECKS]
    assert ("getGuestChecks", "/res/getGuestChecks") == (endpoint.name, endpoint.path)
    assert {"guestChecks"} == {Source.GUEST_CHECKS.entry.list_field, Source.ERP.entry.list_field}
    assert ["erp", "getGuestChecks", *LISTS] == [source.value for source in Source]


@pytest.mark.parametrize(
    "text",
    ["0.1", "1e2", "21", "1234567890.123456", "20.809091", "109.90", "-10", "0.10", "1E-7", "-0.0"],
)
def test_a_number_is_the_decimal_that_its_text_says(text: str) -> None:
    """109.90 keeps its zero, and 0.1 is not the float next to it."""
    read = validator(Tax)({"taxNum": 1, "taxRate": Decimal(text)})["taxRate"]
    assert Decimal(text).as_tuple() == read.as_tuple()


@pytest.mark.parametrize("model", [model for model, _, _ in CONTRACTS], ids=lambda m: m.__name__)
def test_what_is_required_is_an_integer_as_its_error_says(model: type[Record]) -> None:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    assert {Int64} >= {field_types(model)[name] for name in required}
    with pytest.raises(ValidationError) if required else nullcontext() as refused:
        validator(model)({})
    errors = record_errors(refused.value) if required else ()
    assert required == [error.location for error in errors]
    assert all("expected an integer" in error.message for error in errors)
