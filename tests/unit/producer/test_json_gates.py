"""The quick parser lets through what the standard library does, and reads the same in it."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from producer.errors import AnswerRejected
from producer.json_text import NotJson, _parse_quickly, parse_exactly, parse_json
from producer.pulling import answers
from producer.pulling.answers import Answer, read_answer
from tests.support.pulling import ONE_TARGET, PULLED_AT

TARGET = next(iter(ONE_TARGET.targets()))
DAY = TARGET.bus_dt.isoformat()
NAMES = st.sampled_from(
    [
        *("guestChecks", "rows", "opnBusDt", "clsdBusDt", "curUTC", "error", "title", "status"),
        *("hasMore", "links", "paging", "next", "totalCount", "count", "locRef", "busDt", "rel"),
    ]
)
SCALARS = st.sampled_from(
    [
        *("1", "-0", "1.50", "1e99999", "9" * 5000, "null", "true", "false", "NaN", "-Infinity"),
        *(
            '""',
            '"\\ud83d\\ude00"',
            '"\\ud800"',
            '"\\u0000"',
            '"ü\u2028"',
            f'"{DAY}"',
            '"2024-01-01"',
        ),
        *("01", "1.", "+1", "nul", '"\x01"', '"\\q"', "'a'", "[1,]", "{,}", ""),  # not JSON
    ]
)
BLANKS = st.sampled_from(["", "", "", " ", "\r\n\t", "\xa0"])


def texts(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Write lists and objects; names may come twice."""
    fields = st.lists(st.tuples(NAMES, BLANKS, inner), max_size=4)
    objects = fields.map(
        lambda found: (
            "{" + ",".join(f'{blank}"{name}":{value}' for name, blank, value in found) + "}"
        )
    )
    return objects | st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")


DOCUMENTS = texts(st.recursive(SCALARS, texts, max_leaves=8))


def nested(depth: int, opening: str = '{"a":[', closing: str = "]}") -> bytes:
    return b'{"rows": [%b]}' % (opening * depth + closing * depth).encode()


def verdict(body: bytes, parse: Any) -> Any:
    """Say what an answer is taken for when it is parsed in some way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "parse_json", parse)
        try:
            return read_answer(Answer(body, "application/json", PULLED_AT, 0.1), TARGET)
        except AnswerRejected as error:
            return str(error)


@settings(max_examples=120)
@given(DOCUMENTS.map(str.encode) | st.binary(max_size=8))
@example(b"\xef\xbb\xbf{}")
@example(b'\xef\xbb\xbf{"a": 1}')
@example(b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}')
@example(b'{"a": "\xff"}')
@example(b'{"rows": [{"a": "\xed\xa0\x80"}]}')
@example(b'{"rows": [{"opnBusDt": 1e99999}, {"clsdBusDt": NaN}]}')
@example(b'{"rows": [{"opnBusDt": "2024-01-01", "opnBusDt": null}, 5]}')
@example(b'{"rows": [{}], "rows": 7}')
@example(b'{"a": 1} {}')
@example(b'{"a": "%b\xc3"}' % (b"x" * 65_528))
@example('{"a": "%sé"}'.replace("%s", "x" * 65_528).encode())
@example('{"a": 1}'.encode("utf-16"))
@example(nested(100))
@example(nested(5_000))
@example(nested(100_000))
@example(nested(100_000, "[", "]"))
@example(nested(5_000, '{"a":', "1"))
def test_both_parsers_give_the_same_verdict(body: bytes) -> None:
    assert verdict(body, parse_exactly) == verdict(body, parse_json)


@settings(max_examples=80)
@given(st.data())
def test_both_parsers_give_the_same_verdict_when_a_byte_is_changed(data: st.DataObject) -> None:
    records = [{"guestCheckId": 1, "opnBusDt": DAY, "x": ['q"\\ é', -1.5e3, None]}, {"z": {}}]
    document = bytearray(json.dumps({"guestChecks": records, "hasMore": False}).encode())
    place = data.draw(st.integers(0, len(document) - 1))
    byte = data.draw(st.sampled_from(b'{}[],:"\\ 0-.eEu\n') | st.integers(0, 255))
    document[place : place + data.draw(st.integers(0, 1))] = bytes([byte])
    assert verdict(bytes(document), parse_exactly) == verdict(bytes(document), parse_json)


def test_an_ordinary_answer_is_read_by_the_quick_parser_alone() -> None:
    """Or else the tests above may compare the exact one with itself."""
    checks = [{"guestCheckId": n, "opnBusDt": DAY, "taxes": [{"taxNum": n}]} for n in range(3)]
    body = json.dumps({"curUTC": "1", "guestChecks": checks, "links": [{"rel": "next"}]}).encode()
    assert [{"opnBusDt": DAY}] * 3 == _parse_quickly(body)["guestChecks"]


@pytest.mark.parametrize("body", [b"", b" \n", b"{", b"[1", b'{"a": "\xff"}'])
def test_what_is_not_json_is_refused_in_the_words_of_the_exact_parser(body: bytes) -> None:
    with pytest.raises(NotJson) as quick:
        parse_json(body)
    with pytest.raises(NotJson) as exact:
        parse_exactly(body)
    assert str(exact.value) == str(quick.value)
