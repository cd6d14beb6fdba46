"""What is kept of a document that is only looked at."""

import json
from typing import Any

import pytest

from producer.json_text import NotJson, parse_json


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"a": 1, "b": 2.50}', {"a": "1", "b": "2.50"}),
        ('{"rows": [{"x": 1}, {"x": 2}]}', {"rows": [{"": None}, {"": None}]}),
        ('{"error": {"message": "no", "x": [1]}}', {"error": {"message": "no"}}),
        ('{"error": {}}', {"error": {}}),
        ('{"a": {"curUTC": 1}}', {"a": {"": None}}),
        ('{"a": 1, "a": 2}', {"a": "2"}),
        ("{}", {}),
        ("[]", []),
        ("null", None),
    ],
)
def test_the_outermost_value_is_kept_and_of_inner_objects_an_errors_texts(
    text: str, kept: Any
) -> None:
    assert parse_json(text.encode()) == kept


def test_what_is_not_json_is_told_with_its_place() -> None:
    with pytest.raises(NotJson, match=r"^it is not JSON: unterminated string starting at line 1, "):
        parse_json(b'{"a": "b')


def test_a_document_is_json_exactly_when_the_standard_library_says_so() -> None:
    texts = ("{", '{"a" 1}', "[1,]", '{"a": NaN}', '"x"', "1 2", '{"a": "\\ud800"}', "{'a': 1}")
    for text in texts:
        try:
            json.loads(text)
        except json.JSONDecodeError:
            with pytest.raises(NotJson):
                parse_json(text.encode())
        else:
            parse_json(text.encode())
