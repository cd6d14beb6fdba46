"""A document is prepared the same way, and refused for the same reason, in memory and as a stream."""

import gzip
import json
import re
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import consumer.ingest.prepare as preparation_module
from consumer.errors import Permanent
from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import prepare
from consumer.spool import Spool
from schemas.aliases import Aliases, load_aliases
from schemas.codes import ErrorCode
from schemas.registry import Source
from tests.support.record_streams import FIELD, runs_of
from tests.support.samples import ALIASES, NO_LIMIT, fetched

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
    aliases: Aliases = ALIASES,
    source: Source = Source.ERP,
) -> Prepared:
    """Prepare a document as one that is too large for memory."""
    spool = Spool(1 << 20)
    spool.append(document)
    with runs_of(size):
        return prepare(replace(fetched(document, source), data=spool), aliases, NO_LIMIT)


def verdict(document: bytes, size: int | None, source: Source = Source.ERP) -> Any:
    """Say all that preparing brings, or the code of its refusal; None is for in memory."""
    try:
        if size is None:
            found = prepare(fetched(document, source), ALIASES, NO_LIMIT)
        else:
            found = streamed(document, size, source=source)
    except Permanent as error:
        return error.code
    document_, frame = found.document, found.document.frame
    own = f"{document_.number}\t"
    tables = {
        table: re.sub(
            r"\\\\x[0-9a-f]{32}\n",  # only what is read at once is digested
            r"\\N\n",
            b"".join(spool.chunks()).decode().replace(f"\n{own}", "\n").removeprefix(own),
        )
        for table, spool in document_.rows.tables.items()
    }
    # Sold items are counted run by run.
    tables["stage_sold"] = "".join(sorted(set(tables.get("stage_sold", "").splitlines())))
    return (
        document_.record_count,
        document_.quarantined_count,
        document_.gap,
        document_.drift,
        found.quarantined,
        frame,
        tables,
    )


@pytest.mark.parametrize("marks", [0, 1, 2])
def test_a_byte_order_mark_is_taken_once_either_way(marks: int) -> None:
    document = b"\xef\xbb\xbf" * marks + json.dumps(CHECKS).encode()
    assert verdict(document, 50) == verdict(document, None)
    assert (verdict(document, None) == ErrorCode.JSON_MALFORMED) == (marks == 2)


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


ONE, OTHER = '[{"guestCheckId": 1}, {"guestCheckId": 2}]', '[{"guestCheckId": 3}]'


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ((ONE, OTHER), ErrorCode.AMBIGUOUS_FIELD),
        ((ONE, "[7]"), ErrorCode.AMBIGUOUS_FIELD),
        ((ONE, '"text"'), ErrorCode.AMBIGUOUS_FIELD),
        ((ONE, '{"a": 1}'), ErrorCode.AMBIGUOUS_FIELD),
        ((ONE, ONE), 2),
        ((ONE, ONE, ONE), 2),
        ((ONE, "[ ]"), 2),
        ((ONE, "null"), 2),
        ((ONE, "{}"), 2),
        (("[]", "[]"), 0),
    ],
)
def test_a_list_under_two_names_is_taken_if_they_say_the_same_or_only_one_says_anything(
    lists: tuple[str, ...], expected: Any, size: int
) -> None:
    """Whichever comes first, and whether the document fits into memory or not."""
    aliases = load_aliases('["*"]\nguestChecks = ["checks", "tickets"]')
    for names in permutations((FIELD, "checks", "tickets")):
        pairs = ", ".join(f'"{name}": {text}' for name, text in zip(names, lists, strict=False))
        document = f'{{"locRef": "1", {pairs}}}'.encode()
        found = []
        for read in (
            lambda data: prepare(fetched(data), aliases, NO_LIMIT),
            lambda data: streamed(data, size, aliases),
        ):
            try:
                found.append(read(document).document.record_count)
            except Permanent as error:
                found.append(error.code)
        assert [expected, expected] == found, document


@pytest.mark.parametrize(("second", "taken"), [(ONE, True), (OTHER, False), ("[]", False)])
def test_a_name_that_comes_twice_is_one_field_only_if_it_says_the_same(
    second: str, *, taken: bool
) -> None:
    document = f'{{"locRef": "1", "guestChecks": {ONE}, "guestChecks": {second}}}'.encode()
    whole = verdict(document, None)
    assert whole == verdict(document, 1) == verdict(document, 1000)
    assert (whole != ErrorCode.AMBIGUOUS_FIELD) is taken


@pytest.mark.parametrize("record", ["[]", "[[]]", "{}", '""', "null"])
def test_a_record_without_anything_in_it_is_a_record(record: str) -> None:
    """Beside an error it makes the difference to an error answer."""
    document = f'{{"locRef": "1", "error": "late", "guestChecks": [{record}]}}'.encode()
    assert verdict(document, None) == verdict(document, 1)
    assert not isinstance(verdict(document, 1), ErrorCode)


@pytest.mark.parametrize("name", ["guestChecks", "checks", r"guest\u0043hecks"])
def test_a_list_is_found_under_each_of_its_names_however_spelt(name: str) -> None:
    document = f'{{"locRef": "1", "{name}"\n : [{{"guestCheckId": 1}}]}}'.encode()
    aliases = load_aliases('["*"]\nguestChecks = ["checks"]')
    assert streamed(document, 1, aliases).document.record_count == 1


def test_a_long_key_that_ends_like_the_list_s_name_is_another_key() -> None:
    """The race is with the window: the key's own opening quote is out of sight."""
    name = "x" * 2000 + r"\"guestChecks"
    document = f'{{"locRef": "1", "{name}": [{{"guestCheckId": 1}}]}}'.encode()
    assert verdict(document, None) == verdict(document, 1000) == ErrorCode.SCHEMA_INVALID


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


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("[1]".encode("utf-16") * 100, "the file is UTF-16"),
        (b"PK\x03\x04" * 100, "the file is a ZIP archive"),
        (b"a;b\n1;2\n" * 100, "the file is a table"),
        (json.dumps(CHECKS).encode() * 2, "the file holds 2 JSON documents"),
    ],
)
def test_what_is_no_document_is_named_before_it_is_called_too_large(
    data: bytes, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "2 JSON" not in said:
        monkeypatch.setattr("consumer.ingest.prepare._MAX_RUN_BYTES", 20)
    with pytest.raises(Permanent, match=said):
        streamed(data, 50)


def test_a_document_cut_off_anywhere_is_refused_in_the_same_words() -> None:
    data = json.dumps(CHECKS).encode()
    for end in range(len(data)):
        assert verdict(data[:end], 50) == verdict(data[:end], None) == ErrorCode.JSON_MALFORMED


@settings(max_examples=100, deadline=None)
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
        prepare(replace(fetched(CHECKS), data=spool), ALIASES, 300)
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
    monkeypatch.setattr(preparation_module, "_in_runs", None)  # of what is read at once
    assert verdict(gzip.compress(data), None) == expected
