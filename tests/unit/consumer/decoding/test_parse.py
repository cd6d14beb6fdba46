"""Bytes become values with every digit, or are refused with the place of the fault."""

import gzip
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st

from consumer.decoding.gunzip import PlainReader
from consumer.decoding.parse import JsonLines, decode
from consumer.decoding.storable import MAX_DEPTH
from consumer.errors import Permanent
from schemas.codes import ErrorCode


def refusal(data: bytes) -> Permanent:
    with pytest.raises(Permanent) as refused:
        decode(data)
    return refused.value


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
)


@given(JSON)
def test_every_value_comes_back_with_its_digits(value: Any) -> None:
    decoded = decode(simplejson.dumps(value, use_decimal=True).encode())
    assert value == decoded.root
    assert repr_of_numbers(value) == repr_of_numbers(decoded.root)


def repr_of_numbers(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in repr_of_numbers(item)]
    return [str(value)] if isinstance(value, int | Decimal) else []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("-0", 0),
        ("1.50", Decimal("1.50")),
        ("1E5", Decimal("1E+5")),
        ("0.1", Decimal("0.1")),
        ("12345678901234567890.123456789", Decimal("12345678901234567890.123456789")),
        ("9" * 4200, int("9" * 4200)),
        ("9" * 5000, Decimal("9" * 5000)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_numbers_are_never_floats(text: str, number: Any) -> None:
    root = decode(f"[{text}]".encode()).root
    assert [(number, type(number), str(number))] == [(n, type(n), str(n)) for n in root]


@pytest.mark.parametrize("reason", ["", '"again": 1, "again": 1, '])
@pytest.mark.parametrize(("levels", "taken"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_both_parsers_take_documents_of_the_same_depth(
    reason: str, levels: int, *, taken: bool
) -> None:
    """A name that comes twice sends the document to the forgiving parser."""
    lists = levels - 1
    data = f'{{{reason}"a": {"[" * lists}{"]" * lists}}}'.encode()
    if taken:
        assert (reason != "") == decode(data).suspicious
    else:
        assert ErrorCode.JSON_MALFORMED == refusal(data).code


@pytest.mark.parametrize(
    "data",
    [rb'["\ud800"]', rb'["\u0000"]', b"[NaN]", b"[1e99999999999999999999]", b'[{"a": 1, "a": 2}]'],
)
def test_what_may_not_be_storable_is_suspicious(data: bytes) -> None:
    assert decode(data).suspicious


@pytest.mark.parametrize(
    "data", [b"[]", b'{"a": "\xc3\xa3", "b": 1e999}', rb'["\u00e3 \ud83c\udf55"]']
)
def test_the_ordinary_is_not_suspicious(data: bytes) -> None:
    assert not decode(data).suspicious


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"a": 1,\n "b": }', "line 2 column 7"),
        (b"[1] 2", "Extra data"),
        (b"['a']", "line 1 column 2"),
        (b'["a\nb"]', "control character"),
    ],
)
def test_what_is_not_json_is_told_with_its_place(data: bytes, said: str) -> None:
    refused = refusal(data)
    assert ErrorCode.JSON_MALFORMED == refused.code
    assert said in str(refused)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("[1]".encode("utf-16"), "UTF-16"),
        ("[1]".encode("utf-16-be"), ""),
        (b'["\xe3"]', "byte 0xe3 at offset 2"),
        (b"\xff", "byte 0xff at offset 0"),
    ],
)
def test_what_is_not_utf_8_is_told_with_its_place(data: bytes, said: str) -> None:
    refused = refusal(data)
    assert refused.code in (ErrorCode.ENCODING_INVALID, ErrorCode.JSON_MALFORMED)
    assert said in str(refused)


def test_a_byte_order_mark_is_taken() -> None:
    assert [1] == decode(b"\xef\xbb\xbf[1]").root


def plain(data: bytes, limit: int = 1000) -> bytes:
    found = PlainReader(BytesIO(data), limit).read_all(10**9)
    assert found is not None
    return found


def test_gzip_is_told_by_its_first_bytes() -> None:
    assert b"[1]" == plain(b"[1]") == plain(gzip.compress(b"[1]"))


def test_every_member_of_a_gzip_file_counts() -> None:
    assert b"[1, 2]" == plain(gzip.compress(b"[1,") + gzip.compress(b" 2]") + b"\0\0")


@pytest.mark.parametrize(
    "data",
    [
        b"\x1f\x8b",
        b"\x1f\x8bno gzip at all",
        gzip.compress(b"[1]", mtime=0)[:-1],
        gzip.compress(b"[1]", mtime=0)[:-8] + b"\0" * 8,
        gzip.compress(b"[1]", mtime=0) + b"x",
    ],
)
def test_broken_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(Permanent) as refused:
        plain(data)
    assert ErrorCode.ENCODING_INVALID == refused.value.code


@pytest.mark.parametrize(
    "data", [b"x" * 1001, gzip.compress(b"x" * 1001, mtime=0), gzip.compress(b"x" * 10**8, mtime=0)]
)
def test_no_more_than_the_limit_is_decompressed(data: bytes) -> None:
    assert b"x" * 1000 == plain(data[:1000] if data[0] == ord("x") else gzip.compress(b"x" * 1000))
    with pytest.raises(Permanent) as refused:
        plain(data)
    assert ErrorCode.OBJECT_TOO_LARGE == refused.value.code


def test_one_value_a_line_is_told_from_a_broken_document() -> None:
    decoded = decode(b'{"a": 1}\r\n\n{"a": 2.50}\n')
    assert isinstance(decoded.root, JsonLines)
    assert [{"a": 1}, {"a": Decimal("2.50")}] == decoded.root
    assert not decoded.suspicious
    assert decode(b'{"a": "\\u0000"}\n{"a": 2}').suspicious


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"a": 1}\n{"a": 2}\n{"a": }', "line 3 of NDJSON: Expecting value: line 1 column 7"),
        (b'{"a": 1}\n{"a": }', "holds 2 JSON documents one after another"),
        (b'{"a": 1\n"b": 2}', "Expecting ',' delimiter: line 2 column 1"),
        (b'{"a": 1} {"a": 2}', "holds 2 JSON documents one after another"),
    ],
)
def test_of_broken_lines_the_first_is_named(data: bytes, told: str) -> None:
    refused = refusal(data)
    assert ErrorCode.JSON_MALFORMED == refused.code
    assert told in str(refused)
