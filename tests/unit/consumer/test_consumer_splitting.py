"""A document read as a stream is the document: nothing lost, nothing made up, nothing let through."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import consumer.preparation as preparation_module
import consumer.splitting as splitting_module
from consumer.errors import Permanent
from consumer.gunzip import PlainReader
from consumer.preparation import Knowledge, Prepared, prepare
from consumer.splitting import DocumentSplitter
from consumer.spool import Spool
from consumer.usual import UsualFields
from schemas.aliases import load_aliases
from schemas.codes import ErrorCode
from schemas.sources import Source
from tests.samples import KNOWLEDGE, NO_LIMIT, fetched

FIELD = "guestChecks"
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


@contextmanager
def runs_of(size: int) -> Iterator[None]:
    """Cut runs after so many bytes, and read as few at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting_module, "_RUN_BYTES", size)
        yield


def split(document: bytes, size: int, *fields: str) -> tuple[bytes, list[bytes]]:
    """Split a document into its frame and its runs."""
    with runs_of(size):
        reader = PlainReader(BytesIO(document), NO_LIMIT)
        splitter = DocumentSplitter(reader, fields or (FIELD,), NO_LIMIT)
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


@settings(max_examples=300, deadline=None)
@given(documents(), st.integers(1, 40))
@example('{"guestChecks": [1, {"a": 1}, null, "x", [2], {} , 3 ]}', 1)
@example('{"guestChecks": [{}\n,\n{}\n]\n}', 1)
def test_frame_and_runs_together_are_the_document(document: str, size: int) -> None:
    frame, runs = split(document.encode(), size)
    expected = json.loads(document)
    records = [record for run in runs for record in json.loads(run)]
    assert records == expected[FIELD]
    assert json.loads(frame) == expected | {FIELD: []}


@settings(max_examples=100, deadline=None)
@given(VALUE, st.integers(1, 40))
def test_a_document_without_the_list_is_all_frame(value: Any, size: int) -> None:
    document = json.dumps({"a": value, "b": {FIELD: [value]}, "c": [{FIELD: [1]}]}).encode()
    assert split(document, size) == (document, [])


def test_a_byte_order_mark_is_no_part_of_the_frame() -> None:
    assert split(b'\xef\xbb\xbf{"guestChecks": [1]}', 1) == (b'{"guestChecks": []}', [b"[1]"])


def test_a_run_holds_no_more_records_than_it_needs() -> None:
    records = [{"n": number, "text": "x" * 50} for number in range(1000)]
    _, runs = split(json.dumps({FIELD: records}).encode(), 500)
    assert max(map(len, runs)) < 700
    assert len(runs) > 100


@pytest.mark.parametrize(
    "document",
    [
        '{"locRef": "1", "guestChecks": [{} {}]}',
        '{"locRef": "1", "guestChecks": [{} 1 {}]}',
        '{"locRef": "1", "guestChecks": [{}, {},]}',
        '{"locRef": "1", "guestChecks": [{}, ]}',
        '{"locRef": "1", "guestChecks": [, {}]}',
        '{"locRef": "1", "guestChecks": [{},, {}]}',
        '{"locRef": "1", "guestChecks": [{}, {}}}',
        '{"locRef": "1", "guestChecks": [{}, {}]]',
        '{"locRef": "1", "guestChecks": [[}, {}]}',
        '{"locRef": "1", "guestChecks": [{}, {}]} {}',
        '{"locRef": "1", "guestChecks": [{}, {}]},',
        '{"locRef": 1, "a": 1 "guestChecks": [{}]}',
        '{"locRef": 1, "a": "guestChecks": [{}]}',
        '{"locRef": "1", "guestChecks" [{}]}',
        '["guestChecks": [{}]]',
        '{"locRef": "1", "guestChecks": [{}] "a": 1}',
        '{"locRef": "1", "guestChecks": [{}], }',
        '{"locRef": "1", "guestChecks": [{"a": "]}]}',
        "]{",
        "",
        "[",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_is_not_json_is_never_taken_for_a_document(document: str, size: int) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(document)
    with pytest.raises(Permanent) as raised:
        streamed(document.encode(), size)
    assert raised.value.code is ErrorCode.JSON_MALFORMED


@pytest.mark.parametrize("size", [1, 1000])
def test_a_list_that_comes_twice_is_refused(size: int) -> None:
    """Which one counts is not ours to say, and the first one is staged already."""
    document = b'{"guestChecks": [{}], "storeId": "1", "guestChecks": [{"a": 1}]}'
    with pytest.raises(Permanent) as raised:
        split(document, size)
    assert raised.value.code is ErrorCode.AMBIGUOUS_FIELD


def test_a_list_that_comes_under_two_names_is_refused() -> None:
    document = b'{"guestChecks": [{}], "checks": [{"a": 1}]}'
    with pytest.raises(Permanent) as raised:
        split(document, 1000, FIELD, "checks")
    assert raised.value.code is ErrorCode.AMBIGUOUS_FIELD


@pytest.mark.parametrize("name", ["guestChecks", "checks", r"guest\u0043hecks"])
def test_a_list_is_found_under_each_of_its_names_however_spelt(name: str) -> None:
    document = f'{{"locRef": "1", "{name}"\n : [{{"guestCheckId": 1}}]}}'.encode()
    aliases = load_aliases('["*"]\nguestChecks = ["checks"]')
    assert streamed(document, 1, Knowledge(aliases, UsualFields())).document.record_count == 1


def test_a_long_key_that_ends_like_the_list_s_name_is_another_key() -> None:
    """The race is with the window: the key's own opening quote is out of sight."""
    name = "x" * 2000 + r"\"guestChecks"
    document = f'{{"locRef": "1", "{name}": [{{"guestCheckId": 1}}]}}'.encode()
    assert verdict(document, None) == verdict(document, 1000) == ErrorCode.SCHEMA_INVALID


def test_a_record_without_end_is_refused_before_it_fills_memory() -> None:
    document = b'{"guestChecks": [{"a": "' + b"x" * 5000
    splitter = DocumentSplitter(PlainReader(BytesIO(document), NO_LIMIT), (FIELD,), 1000)
    with runs_of(100), pytest.raises(Permanent) as raised:
        list(splitter)
    assert raised.value.code is ErrorCode.OBJECT_TOO_LARGE


# From here on: the whole of `prepare`, streamed against in memory.

CHECKS = {
    "curUTC": "2024-01-02T03:00:00",
    "locRef": "001",
    "guestChecks": [
        {
            "guestCheckId": 1,
            "lastUpdatedUTC": "2024-01-01T20:00:00",
            "chkName": 'a "b" [c] {d}\\',
            "subTtl": 10.5,
            "new": {"x": [1]},
            "taxes": [{"taxNum": 28, "taxCollTtl": 1.5}],
            "detailLines": [
                {"guestCheckLineItemId": 5, "busDt": "2024-01-01", "menuItem": {"miNum": 7}},
                {"guestCheckLineItemId": 6, "discount": {"dscNum": 2}},
            ],
        },
        {"guestCheckId": 2, "gstCnt": 3},
        {"guestCheckId": "bad id"},
        5,
        None,
        {"guestCheckId": 1, "lastUpdatedUTC": "2024-01-01T20:00:00", "subTtl": "11"},
    ],
    "hasMore": False,
}
INVOICES = {
    "storeId": "99 CB CB",
    "busDt": "2024-01-01",
    "fiscalInvoices": [
        {"invoiceId": 1, "amount": 5, "tax": 0.5},
        {"amount": 7},
        {"amount": 7},
        {"invoiceId": [], "amount": 1},
    ],
}


def streamed(
    document: bytes,
    size: int,
    knowledge: Knowledge = KNOWLEDGE,
    source: Source = Source.ERP,
) -> Prepared:
    """Prepare a document as one that is too large for memory."""
    spool = Spool(1 << 20)
    spool.append(document)
    with runs_of(size):
        return prepare(replace(fetched(document, source), data=spool), knowledge, NO_LIMIT)


def verdict(document: bytes, size: int | None, source: Source = Source.ERP) -> Any:
    """Say all that preparing brings, or the code of its refusal; None is for in memory."""
    try:
        if size is None:
            found = prepare(fetched(document, source), KNOWLEDGE, NO_LIMIT)
        else:
            found = streamed(document, size, source=source)
    except Permanent as error:
        return error.code
    document_, frame = found.document, found.document.frame
    own = f"{document_.number}\t"
    tables = {
        table: b"".join(spool.chunks()).decode().replace(f"\n{own}", "\n").removeprefix(own)
        for table, spool in document_.staged.tables.items()
    }
    # Sold items are counted run by run.
    tables["stage_sold"] = "".join(sorted(set(tables.get("stage_sold", "").splitlines())))
    return (
        document_.record_count,
        document_.quarantined_count,
        document_.keep_all,
        document_.keep_ids,
        document_.findings,
        found.quarantined,
        found.presences,
        frame,
        tables,
    )


@pytest.mark.parametrize("size", [1, 10, 100, 10_000])
@pytest.mark.parametrize(
    ("document", "source"), [(CHECKS, Source.ERP), (INVOICES, Source.FISCAL_INVOICE)]
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_streamed_document_is_prepared_like_one_in_memory(
    document: dict[str, Any], source: Source, size: int, indent: int | None
) -> None:
    data = json.dumps(document, indent=indent).encode()
    expected = verdict(data, None, source)
    assert not isinstance(expected, ErrorCode)
    assert verdict(data, size, source) == expected


def test_a_document_cut_off_anywhere_is_refused_in_the_same_words() -> None:
    data = json.dumps(CHECKS).encode()
    for end in range(len(data)):
        assert verdict(data[:end], 50) == verdict(data[:end], None) == ErrorCode.JSON_MALFORMED


@settings(max_examples=700, deadline=None)
@given(st.data())
def test_a_document_with_one_byte_changed_ends_the_same_way_either_way(data: st.DataObject) -> None:
    """What json says is malformed is never taken; and both ways of reading agree on all else."""
    source = data.draw(st.sampled_from([Source.ERP, Source.FISCAL_INVOICE]))
    whole = bytearray(json.dumps(CHECKS if source is Source.ERP else INVOICES).encode())
    place = data.draw(st.integers(0, len(whole) - 1))
    how = data.draw(st.sampled_from(["change", "remove", "insert"]))
    byte = data.draw(st.sampled_from(b'{}[],:"\\ 0-.eE') | st.integers(0, 127))
    if how == "change":
        whole[place] = byte
    elif how == "remove":
        del whole[place]
    else:
        whole.insert(place, byte)
    document = bytes(whole)
    in_memory = verdict(document, None, source)
    assert verdict(document, data.draw(st.integers(1, 200)), source) == in_memory
    try:
        json.loads(document.decode())
    except json.JSONDecodeError:
        assert in_memory == ErrorCode.JSON_MALFORMED
    else:
        assert in_memory != ErrorCode.JSON_MALFORMED


@pytest.mark.parametrize("byte", [0x80, 0xC3, 0xFF])
def test_bytes_that_are_not_utf_8_are_refused_either_way(byte: int) -> None:
    data = json.dumps(CHECKS).encode()
    for place in range(0, len(data), 7):
        broken = data[:place] + bytes([byte]) + data[place:]
        assert verdict(broken, None) == ErrorCode.ENCODING_INVALID
        refused = verdict(broken, 50)
        assert refused in (ErrorCode.ENCODING_INVALID, ErrorCode.JSON_MALFORMED), place


def test_a_streamed_document_too_large_once_unpacked_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spool = Spool(100)
    spool.append(json.dumps(CHECKS).encode())
    with pytest.raises(Permanent) as raised:
        prepare(replace(fetched(CHECKS), data=spool), KNOWLEDGE, 300)
    assert raised.value.code is ErrorCode.OBJECT_TOO_LARGE


def test_a_record_too_large_for_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation_module, "_MAX_RUN_BYTES", 100)
    with pytest.raises(Permanent) as raised:
        streamed(json.dumps(CHECKS).encode(), 10)
    assert raised.value.code is ErrorCode.OBJECT_TOO_LARGE


def test_a_packed_document_in_memory_that_grows_too_large_is_streamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A `.json` may hold gzip: what it unpacks to is known only then."""
    data = json.dumps(CHECKS).encode()
    expected = verdict(data, None)
    monkeypatch.setattr(preparation_module, "_MAX_WHOLE_BYTES", 100)
    monkeypatch.setattr(preparation_module, "_open_whole", None)
    assert verdict(gzip.compress(data), None) == expected
