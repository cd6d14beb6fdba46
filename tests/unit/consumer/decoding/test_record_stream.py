"""A document read as a stream is the document: nothing lost, nothing made up, nothing let through."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.decoding.gunzip import PlainReader
from consumer.decoding.record_stream import RecordStream
from consumer.errors import Permanent
from schemas.codes import ErrorCode
from tests.support.record_streams import FIELD, runs_of
from tests.support.samples import NO_LIMIT

TRICKY = st.sampled_from(
    ['"', "\\", '\\"', "[", "]", "{", "}", ",", ":", '"guestChecks":[', "é", "😀", "\u2028", "\n"]
)
TEXT = st.lists(TRICKY | st.text(max_size=3), max_size=4).map("".join)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32) | TEXT
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
BLANK = st.sampled_from(["", "", " ", "\n", "\t\r\n  "])


def split(document: bytes, size: int, *fields: str) -> tuple[bytes, list[bytes]]:
    """Split a document into its frame and its runs."""
    with runs_of(size):
        reader = PlainReader(BytesIO(document), NO_LIMIT)
        splitter = RecordStream(reader, fields or (FIELD,), NO_LIMIT)
        runs = list(splitter)
    return splitter.frame, runs


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """Write JSON with blanks wherever they may stand and escapes wherever they may be."""
    blank = draw(BLANK)
    if isinstance(value, dict):
        pairs = [
            f"{blank}{json.dumps(k)}{draw(BLANK)}:{draw(written(v))}" for k, v in value.items()
        ]
        return f"{blank}{{{','.join(pairs)}{draw(BLANK)}}}{draw(BLANK)}"
    if isinstance(value, list):
        return f"{blank}[{','.join(draw(written(v)) for v in value)}{draw(BLANK)}]{draw(BLANK)}"
    return blank + json.dumps(value, ensure_ascii=draw(st.booleans())) + draw(BLANK)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Write a document with the list first, in the middle or last in its root."""
    others = draw(st.dictionaries(TEXT.filter(lambda name: name != FIELD), VALUE, max_size=3))
    names = [*others, FIELD]
    order = draw(st.permutations(names))
    records = draw(st.lists(VALUE, max_size=6))
    root = {name: others.get(name) for name in order} | {FIELD: records}
    return draw(written({name: root[name] for name in order}))


@settings(max_examples=80, deadline=None)
@given(documents(), st.integers(1, 40))
@example('{"guestChecks": [1, {"a": 1}, null, "x", [2], {} , 3 ]}', 1)
@example('{"guestChecks": [{}\n,\n{}\n]\n}', 1)
def test_frame_and_runs_together_are_the_document(document: str, size: int) -> None:
    frame, runs = split(document.encode(), size)
    expected = json.loads(document)
    records = [record for run in runs for record in json.loads(run)]
    assert records == expected[FIELD]
    root = json.loads(frame)
    digests = root[FIELD]
    assert root == expected | {FIELD: digests}
    assert [str] * bool(records) == [type(digest) for digest in digests]


@settings(max_examples=40, deadline=None)
@given(VALUE, st.integers(1, 40))
def test_a_document_without_the_list_is_all_frame(value: Any, size: int) -> None:
    document = json.dumps({"a": value, "b": {FIELD: [value]}, "c": [{FIELD: [1]}]}).encode()
    assert split(document, size) == (document, [])


def test_a_run_holds_no_more_records_than_it_needs() -> None:
    records = [{"n": number, "text": "x" * 50} for number in range(1000)]
    _, runs = split(json.dumps({FIELD: records}).encode(), 500)
    assert max(map(len, runs)) < 700
    assert len(runs) > 100


def test_a_record_without_end_is_refused_before_it_fills_memory() -> None:
    document = b'{"guestChecks": [{"a": "' + b"x" * 5000
    splitter = RecordStream(PlainReader(BytesIO(document), NO_LIMIT), (FIELD,), 1000)
    with runs_of(100), pytest.raises(Permanent) as raised:
        list(splitter)
    assert raised.value.code is ErrorCode.OBJECT_TOO_LARGE
