"""What COPY reads is what was written, whatever characters a text holds."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.rows.copy_text import NULL, cells, escape, json_cell, json_text, line

_UNESCAPED = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def unescaped(cell: str) -> str:
    """Read a cell as the PostgreSQL manual says COPY reads it."""
    characters = iter(cell)
    return "".join(_UNESCAPED[next(characters)] if c == "\\" else c for c in characters)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_back_from_its_cell(text: str) -> None:
    cell = escape(text)
    assert text == unescaped(cell)
    assert not set("\t\n\r") & set(cell)
    assert cell != NULL


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, "\\N"),
        (True, "True"),
        (False, "False"),
        (9_988_776_655, "9988776655"),
        (Decimal("5.10"), "5.10"),
        (Decimal("1E+3"), "1E+3"),
        ("", ""),
        ("\\N", "\\\\N"),
        (datetime.fromisoformat("2024-01-01T10:00:00.000005"), "2024-01-01T10:00:00.000005"),
        (datetime(2024, 1, 1, 10, tzinfo=UTC), "2024-01-01T10:00:00+00:00"),
        (date(2024, 1, 1), "2024-01-01"),
    ],
)
def test_each_type_of_a_contract_has_its_cell(value: Any, cell: str) -> None:
    assert [cell] == cells([value])


def test_a_type_that_no_contract_yields_is_a_bug() -> None:
    with pytest.raises(KeyError):
        cells([5.0])


def test_a_row_is_a_line_of_cells() -> None:
    assert "a\tb\n" == line(["a", "b"])


def test_json_keeps_the_digits_of_numbers() -> None:
    value = {"a": Decimal("1.50"), "b": [10**30, Decimal("1E+5")], "ç": "\t"}
    text = json_text(value)
    assert '{"a": 1.50, "b": [1000000000000000000000000000000, 1E+5], "ç": "\\t"}' == text
    assert value == json.loads(text, parse_float=Decimal)


@pytest.mark.parametrize("value", [None, {}])
def test_nothing_extra_is_null(value: Any) -> None:
    assert NULL == json_cell(value)


def test_json_in_a_cell_is_escaped_twice() -> None:
    assert '{"a": "\\\\n\\\\\\\\"}' == json_cell({"a": "\n\\"})


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("1E+99", "1E+99"),
        ("1E-99", "1E-99"),
        ("9" * 500, "9" * 500),
        ("0." + "1" * 16_383, "0." + "1" * 16_383),
        ("1E+100", '"1E+100"'),
        ("-1.5E-100", '"-1.5E-100"'),
        ("1E+99999", '"1E+99999"'),
        ("0E+999999999", '"0E+999999999"'),
        ("0." + "1" * 16_384, '"0.' + "1" * 16_384 + '"'),
        ("9" * 131_073, '"' + "9" * 131_073 + '"'),
    ],
)
def test_an_unknown_number_that_the_database_would_blow_up_or_refuse_is_kept_as_text(
    number: str, written: str
) -> None:
    assert f'{{"a": [{written}, 1E+2]}}' == json_text({"a": [Decimal(number), Decimal("1E+2")]})
