"""What JSON can say and PostgreSQL cannot hold is found, wherever it hides."""

from decimal import Decimal
from typing import Any

import pytest

from consumer.decoding.storable import MAX_DEPTH, find_unstorable, is_too_deep, object_from_pairs
from schemas.codes import ErrorCode


@pytest.mark.parametrize(
    ("value", "location"),
    [
        ({"a": "\0"}, "a"),
        ({"a": [{"b": "x\ud800"}]}, "a[0].b"),
        ({"a\0": 1}, ""),
        ({"a": {"\udfff": 1}}, "a"),
        ({"a": Decimal("NaN")}, "a"),
        ({"a": [1, Decimal("-Infinity")]}, "a[1]"),
    ],
)
def test_what_cannot_be_stored_is_found_with_its_place(value: Any, location: str) -> None:
    problem = find_unstorable(value)
    assert problem is not None
    assert (ErrorCode.SCHEMA_INVALID, location) == (problem[0], problem[1].location)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": ["x", 1, None, True, {"b": Decimal("1.5")}]},
        {"ção": "🍕\u2028"},
    ],
)
def test_what_can_be_stored_is_left_alone(value: Any) -> None:
    assert find_unstorable(value) is None


def test_a_name_that_came_twice_with_two_values_is_ambiguous() -> None:
    problem = find_unstorable({"line": object_from_pairs([("a", 1), ("b", 2), ("a", 3)])})
    assert problem is not None
    assert (ErrorCode.AMBIGUOUS_FIELD, "line.a") == (problem[0], problem[1].location)


def test_a_name_that_came_twice_with_one_value_is_one_field() -> None:
    record = object_from_pairs([("a", {"b": 1}), ("a", {"b": 1})])
    assert {"a": {"b": 1}} == record
    assert find_unstorable(record) is None


@pytest.mark.parametrize(
    ("levels", "too_deep"), [(MAX_DEPTH, False), (MAX_DEPTH + 1, True), (5000, True)]
)
@pytest.mark.parametrize("kind", [list, dict])
def test_depth_is_counted_in_levels(levels: int, kind: type, *, too_deep: bool) -> None:
    value: Any = kind()
    for _ in range(levels - 1):
        value = [value] if kind is list else {"a": value}
    assert too_deep == is_too_deep(value)
