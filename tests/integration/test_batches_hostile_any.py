"""Any JSON value anywhere, and any bytes: read or refused, never a crash."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.errors import Permanent
from consumer.ingest.prepare import Fetched, prepare
from consumer.policy import RULES, Reaction
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Tax
from schemas.registry import STORE_DAY_LISTS, Source
from tests.support.ingesting import LIMIT, Loaded, ingest
from tests.support.samples import ALIASES, checks, day_list, fetched, full_check
from tests.support.warehouse import Warehouse

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**62, 2**64)
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["2024-01-01", "2024-01-01T10:00:00", "5.10", "1e5", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(), max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
DETAILS = [DetailLine.model_fields[name].annotation.__args__[0] for name in LINE_TYPES]


def check_with(model: type, name: str, value: Any) -> dict[str, Any]:
    """Put a value into any field of a check, its tax, its line or the line's sub-object."""
    tax, line = {"taxNum": 1}, {"guestCheckLineItemId": 2}
    check = full_check(2, taxes=[tax], detailLines=[line])
    if model is GuestCheck:
        check[name] = value
    elif model is Tax:
        tax[name] = value
    elif model is DetailLine:
        line[name] = value
    else:
        line[list(LINE_TYPES)[DETAILS.index(model)]] = {name: value}
    return check


@pytest.mark.parametrize("partial", [False, True])
def test_any_json_value_in_any_field_of_a_check_loads_or_is_set_aside(
    opened: Warehouse, *, partial: bool
) -> None:
    fields = [
        (model, name)
        for model in (GuestCheck, Tax, DetailLine, *DETAILS)
        for name in model.model_fields
    ]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(fields), st.lists(JSON, min_size=1, max_size=4))
    def holds(field: tuple[type, str], values: list[Any]) -> None:
        records = [check_with(*field, value) for value in values]
        if partial:
            for record in records:
                record.pop("lastUpdatedUTC", None)
        opened.empty()
        document = json.dumps(checks(*records, full_check(1))).encode()
        result = ingest(opened, document)
        assert isinstance(result, Loaded)
        assert 1 in [row["guest_check_id"] for row in opened.rows("guest_checks")]

    holds()


@pytest.mark.parametrize("source", list(STORE_DAY_LISTS))
def test_any_json_value_in_any_field_of_a_row_loads_or_is_set_aside(
    opened: Warehouse, source: Source
) -> None:
    shape = source.entry

    @settings(max_examples=40)
    @given(
        st.sampled_from(sorted(shape.model.model_fields)), st.lists(JSON, min_size=1, max_size=4)
    )
    def holds(name: str, values: list[Any]) -> None:
        opened.empty()
        document = day_list(source, *({name: value} for value in values), {shape.id_field: "good"})
        result = ingest(opened, json.dumps(document).encode(), source)
        assert isinstance(result, Loaded)
        assert "good" in [row["record_id"] for row in opened.rows(shape.table)]

    holds()


@settings(max_examples=100)
@given(JSON, st.sampled_from(list(Source)))
def test_any_json_value_as_a_document_is_read_or_refused(value: Any, source: Source) -> None:
    for document in (
        value,
        {"storeId": value},
        {source.entry.list_field: value},
        {"curUTC": value},
    ):
        assert_read_or_refused(fetched(json.dumps(document).encode(), source))


@settings(max_examples=200)
@given(
    st.binary(max_size=40), st.sampled_from([b"", b"\x1f\x8b", b"\xef\xbb\xbf", b'{"a": ', b'["'])
)
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    assert_read_or_refused(fetched(start + data))


def assert_read_or_refused(document: Fetched) -> None:
    """Any other exception than a refusal is a crash; a refusal names a permanent code and why."""
    try:
        prepared = prepare(document, ALIASES, LIMIT)
    except Permanent as error:
        dead_lettered = RULES[error.code].reaction is Reaction.DEAD_LETTER
        outcome = (dead_lettered, str(error) != "")
    else:
        counted = prepared.document.quarantined_count
        outcome = (counted >= len(prepared.quarantined), prepared.document.record_count >= 0)
    assert (True, True) == outcome
