"""Documents that no ERP would send on purpose: each ends in the right code, or loads."""

import gzip
import json
import time
import tracemalloc
from typing import Any

import pytest

from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import Fetched, prepare
from schemas.codes import ErrorCode
from schemas.registry import Source
from tests.support.ingesting import (
    GOOD,
    LIMIT,
    Loaded,
    Refused,
    bad_check,
    ingest,
    try_load,
    with_good,
)
from tests.support.samples import ALIASES, checks, day_list, fetched, full_check
from tests.support.warehouse import Warehouse

SCHEMA_INVALID, AMBIGUOUS = ErrorCode.SCHEMA_INVALID, ErrorCode.AMBIGUOUS_FIELD


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_a_hundred_levels_are_kept(warehouse: Warehouse) -> None:
    deep = nested(100)
    assert Loaded({}, 0) == ingest(warehouse, bad_check(f'"new": {deep}'))
    [text] = warehouse.query("SELECT extra::text FROM guest_checks WHERE guest_check_id = 2")
    assert f'{{"new": {deep}}}' == text["extra"]


@pytest.mark.parametrize("levels", [250, 900, 100_000])
@pytest.mark.parametrize("reason_to_look", ["", '"other": NaN, '])
def test_absurd_nesting_refuses_the_document(
    warehouse: Warehouse, levels: int, reason_to_look: str
) -> None:
    """The strict parser and the forgiving one have the same limit."""
    document = bad_check(f'{reason_to_look}"new": {nested(levels)}')
    assert Refused(ErrorCode.JSON_MALFORMED) == ingest(warehouse, document)
    assert [] == warehouse.rows("guest_checks")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", ErrorCode.JSON_MALFORMED),
        (b" \n\t ", ErrorCode.JSON_MALFORMED),
        (b"\xef\xbb\xbf", ErrorCode.JSON_MALFORMED),
        (b"{", ErrorCode.JSON_MALFORMED),
        (b'{"guestChecks": [}', ErrorCode.JSON_MALFORMED),
        (b'{"locRef": "S", "guestChecks": []} trailing', ErrorCode.JSON_MALFORMED),
        (b'{"locRef": "S\x00", "guestChecks": []}', ErrorCode.JSON_MALFORMED),
        (b"<html>504 Gateway Time-out</html>", ErrorCode.JSON_MALFORMED),
        (b"null", SCHEMA_INVALID),
        (b"[]", SCHEMA_INVALID),
        (b"7", SCHEMA_INVALID),
        (b'"text"', SCHEMA_INVALID),
        (b"NaN", SCHEMA_INVALID),
        (b"[" + b"null," * 1_000_000 + b"null]", SCHEMA_INVALID),
        (b"{}", SCHEMA_INVALID),
        (b'{"guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "", "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "  ", "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": {}, "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "S", "guestChecks": {}}', SCHEMA_INVALID),
        (b'{"locRef": "S", "guestChecks": "none"}', SCHEMA_INVALID),
        (b'{"locRef": "S", "curUTC": "today", "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "S", "curUTC": 0, "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "S\\u0000", "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "\\ud800", "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "S", "\\u0000": 1, "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "S", "new": "\\ud800", "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "S", "new": NaN, "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "' + b"S" * 201 + b'", "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "' + b"S" * 1_000_000 + b'", "guestChecks": []}', SCHEMA_INVALID),
        (b'{"locRef": "S", "storeId": "T", "guestChecks": []}', AMBIGUOUS),
        (b'{"locRef": "S", "locRef": "T", "guestChecks": []}', AMBIGUOUS),
        (b'{"locRef": "S", "guestChecks": [], "guestChecks": [' + GOOD.encode() + b"]}", AMBIGUOUS),
        ('{"locRef": "S", "guestChecks": []}'.encode("utf-16"), ErrorCode.ENCODING_INVALID),
        ('{"locRef": "São", "guestChecks": []}'.encode("latin-1"), ErrorCode.ENCODING_INVALID),
        (b'{"locRef": "\xed\xa0\x80", "guestChecks": []}', ErrorCode.ENCODING_INVALID),
        (b"\x1f\x8b", ErrorCode.ENCODING_INVALID),
        (b"\x1f\x8bnot gzip", ErrorCode.ENCODING_INVALID),
        (gzip.compress(GOOD.encode(), mtime=0)[:-9], ErrorCode.ENCODING_INVALID),
        (gzip.compress(GOOD.encode(), mtime=0)[:-4] + b"\0\0\0\0", ErrorCode.ENCODING_INVALID),
        (gzip.compress(GOOD.encode(), mtime=0) + b"trailing", ErrorCode.ENCODING_INVALID),
        (gzip.compress(b" " * (LIMIT + 1), mtime=0), ErrorCode.OBJECT_TOO_LARGE),
        (gzip.compress(gzip.compress(GOOD.encode(), mtime=0), mtime=0), ErrorCode.ENCODING_INVALID),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_document_that_is_none_is_refused_as_a_whole(
    warehouse: Warehouse, document: bytes, code: ErrorCode
) -> None:
    assert Refused(code) == ingest(warehouse, document)
    assert [] == warehouse.rows("guest_checks")


@pytest.mark.parametrize(
    "document",
    [
        with_good(GOOD),
        b"\xef\xbb\xbf" + with_good(GOOD),
        b"\n " + with_good(GOOD) + b"\r\n",
        gzip.compress(with_good(GOOD), mtime=0),
        gzip.compress(with_good(GOOD)[:30], mtime=0) + gzip.compress(with_good(GOOD)[30:], mtime=0),
        gzip.compress(with_good(GOOD), mtime=0) + b"\0" * 100,
        with_good(GOOD).replace(b'"locRef"', b'"storeId": "S", "locRef"'),
        with_good(GOOD).replace(b'"locRef"', b'"locRef": "S", "locRef"'),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_document_in_an_odd_wrapping_is_loaded(warehouse: Warehouse, document: bytes) -> None:
    assert Loaded({}, 0) == ingest(warehouse, document)
    assert [1] == [row["guest_check_id"] for row in warehouse.rows("guest_checks")]


@pytest.mark.parametrize(
    "bad_id",
    ["x" * 401, "x" * 1_000_000, "a\0b", "\ud800", {}, [], 10**4200],
    ids=lambda value: repr(value)[:30] if not isinstance(value, int) else "huge integer",
)
def test_a_row_whose_id_cannot_be_a_key_is_set_aside_and_its_neighbour_loads(
    warehouse: Warehouse, bad_id: Any
) -> None:
    source = Source.TRANSACTIONS
    document = day_list(source, {"transactionId": bad_id}, {"transactionId": "good"})
    result = ingest(warehouse, json.dumps(document).encode(), source)
    assert Loaded({"transactions[0]": SCHEMA_INVALID}, 1) == result
    assert ["good"] == [row["record_id"] for row in warehouse.rows("transactions")]


def test_the_longest_ids_and_the_longest_store_fit_into_a_key(warehouse: Warehouse) -> None:
    """In four bytes a character, and of a kind that does not compress."""
    source = Source.FISCAL_INVOICE
    wide = "".join(chr(0x20000 + 31 * number) for number in range(400))
    document = day_list(source, {"invoiceId": wide}, store=wide[:200])
    found = fetched(document, source, store=wide[:200])
    assert try_load(warehouse, prepare(found, ALIASES, LIMIT)) is None
    assert [wide] == [row["record_id"] for row in warehouse.rows("fiscal_invoices")]


def test_an_endless_field_name_is_kept_and_does_not_burst_the_drift_tables(
    warehouse: Warehouse,
) -> None:
    name = "".join(chr(0x20000 + 31 * number) for number in range(5000))
    assert Loaded({}, 0) == ingest(warehouse, checks(full_check(1, **{name: 1}), **{name: 2}))
    [row] = warehouse.rows("guest_checks")
    assert {name: 1} == row["extra"]


def test_thousands_of_unknown_fields_are_kept_and_told_in_few_rows(warehouse: Warehouse) -> None:
    fields = {f"unknown{number}": "x" for number in range(50_000)}
    started = time.monotonic()
    assert Loaded({}, 0) == ingest(warehouse, checks(full_check(1, **fields), **fields))
    assert time.monotonic() - started < 20
    [row] = warehouse.rows("guest_checks")
    assert fields == row["extra"]
    [found] = warehouse.query("SELECT count(*) FROM schema_drift")
    assert found["count"] <= 300


@pytest.mark.parametrize("source", [Source.ERP, Source.TRANSACTIONS])
def test_a_list_of_nulls_is_counted_in_bounded_time_and_memory(source: Source) -> None:
    """The log lists the first thousand of them; none is lost from the count."""
    head = '{"storeId": "99 CB CB", "' + source.entry.list_field + '": ['
    found = fetched((head + "null," * 199_999 + "null]}").encode(), source)
    started = time.monotonic()
    prepared, peak_bytes = with_peak(found)
    assert time.monotonic() - started < 30
    assert 200_000 == prepared.document.quarantined_count
    assert 1000 == len(prepared.quarantined)
    assert peak_bytes < 20 << 20


def test_a_check_with_a_million_bad_lines_is_set_aside_in_bounded_memory() -> None:
    lines = b"null," * 999_999 + b"null"
    document = with_good('{"guestCheckId": 2, "detailLines": []}').replace(
        b"[]", b"[" + lines + b"]"
    )
    prepared, peak_bytes = with_peak(fetched(document))
    [record] = prepared.quarantined
    assert ["detailLines[0]"] == [error.location for error in record.errors]
    assert peak_bytes < 50 << 20


def with_peak(found: Fetched) -> tuple[Prepared, int]:
    """Prepare a document and say how many bytes that took at its worst."""
    tracemalloc.start()
    try:
        prepared = prepare(found, ALIASES, LIMIT)
        return prepared, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
