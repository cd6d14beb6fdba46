"""Documents that no ERP would send on purpose: each ends in the right code, its neighbours load.

Driven as the service does it: prepare, load, and when the database refuses the data, once more
with a closer look.
"""

import gzip
import json
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.errors import Permanent
from consumer.postgres import mapped
from consumer.preparation import Fetched, Prepared, prepare
from schemas.codes import ErrorCode
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Tax
from schemas.sources import Source
from schemas.store_days import STORE_DAY_LISTS, list_field
from tests.samples import KNOWLEDGE, checks, day_list, fetched, full_check
from tests.warehouse import Warehouse, open_warehouse, own_database

SCHEMA_INVALID, AMBIGUOUS = ErrorCode.SCHEMA_INVALID, ErrorCode.AMBIGUOUS_FIELD
LIMIT = 64 << 20
GOOD = '{"guestCheckId": 1, "lastUpdatedUTC": "2024-01-01T10:00:00", "gstCnt": 1}'


@pytest.fixture(scope="module")
def opened(stack: Any) -> Iterator[Warehouse]:
    with (
        own_database(stack.environment) as database,
        open_warehouse(database, sessions=1) as warehouse,
    ):
        yield warehouse


@pytest.fixture
def warehouse(opened: Warehouse) -> Warehouse:
    opened.empty()
    return opened


@dataclass(frozen=True)
class Refused:
    """Nothing of the document was loaded."""

    code: ErrorCode


@dataclass(frozen=True)
class Loaded:
    """What was set aside, by place and code."""

    quarantined: dict[str, ErrorCode]
    count: int


def ingest(warehouse: Warehouse, document: Any, source: Source = Source.ERP) -> Refused | Loaded:
    found = fetched(document, source)
    try:
        prepared = prepare(found, KNOWLEDGE, LIMIT)
        refused = load(warehouse, prepared)
        if refused is None:
            return outcome(prepared)
        closer = prepare(found, KNOWLEDGE, LIMIT, careful=True)
        if closer.document.quarantined_count == prepared.document.quarantined_count:
            return Refused(refused)
    except Permanent as error:
        return Refused(error.code)
    refused = load(warehouse, closer)
    return outcome(closer) if refused is None else Refused(refused)


def load(warehouse: Warehouse, prepared: Prepared) -> ErrorCode | None:
    try:
        warehouse.load(prepared.document)
    except psycopg.Error as error:
        failure = mapped(error)
        assert isinstance(failure, Permanent), failure
        return failure.code
    return None


def outcome(prepared: Prepared) -> Loaded:
    codes = {record.path: record.code for record in prepared.quarantined}
    return Loaded(codes, prepared.document.quarantined_count)


def with_good(record: str) -> bytes:
    """Write a document whose second check is good, so that something must load."""
    return f'{{"locRef": "S", "guestChecks": [{record}, {GOOD}]}}'.encode()


def bad_check(field: str) -> bytes:
    return with_good(f'{{"guestCheckId": 2, "lastUpdatedUTC": "2024-01-01T10:00:00", {field}}}')


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (r'"tblName": "a\u0000b"', SCHEMA_INVALID),
        (r'"tblName": "\ud800"', SCHEMA_INVALID),
        (r'"tblName": "\udfff\ud800"', SCHEMA_INVALID),
        (r'"new": "a\u0000b"', SCHEMA_INVALID),
        (r'"new": {"deep": ["\udc00"]}', SCHEMA_INVALID),
        (r'"a\u0000b": 1', SCHEMA_INVALID),
        (r'"\ud800": 1', SCHEMA_INVALID),
        (r'"\ud800": 1, "\ud800": 2', SCHEMA_INVALID),
        (r'"new": {"\u0000": {}}', SCHEMA_INVALID),
        ('"subTtl": NaN', SCHEMA_INVALID),
        ('"subTtl": Infinity', SCHEMA_INVALID),
        ('"subTtl": -Infinity', SCHEMA_INVALID),
        ('"new": [NaN]', SCHEMA_INVALID),
        ('"subTtl": 1e999999', SCHEMA_INVALID),
        ('"subTtl": 1e-999999', SCHEMA_INVALID),
        ('"subTtl": 0e9999999999', SCHEMA_INVALID),
        ('"new": 1e999999', SCHEMA_INVALID),
        ('"subTtl": 1e999999999999999999999', SCHEMA_INVALID),
        ('"new": 0e-99999999999999999999', SCHEMA_INVALID),
        ('"subTtl": 1' + "0" * 140_000, SCHEMA_INVALID),
        ('"new": 1' + "0" * 140_000, SCHEMA_INVALID),
        ('"gstCnt": 9223372036854775808', SCHEMA_INVALID),
        ('"gstCnt": ' + "9" * 5000, SCHEMA_INVALID),
        ('"gstCnt": 1e999', SCHEMA_INVALID),
        ('"gstCnt": 1.5', SCHEMA_INVALID),
        ('"opnBusDt": "2024-02-30"', SCHEMA_INVALID),
        ('"opnUTC": "2024-02-30T10:00:00"', SCHEMA_INVALID),
        ('"opnUTC": "2024-01-01T10:00:00+23:00"', SCHEMA_INVALID),
        ('"gstCnt": 1, "gstCnt": 2', AMBIGUOUS),
        ('"new": 1, "new": "1"', AMBIGUOUS),
        ('"taxes": [{"taxNum": 1, "taxNum": 2}]', AMBIGUOUS),
        ('"detailLines": [{"guestCheckLineItemId": 1, "menuItem": {"a": 1, "a": 2}}]', AMBIGUOUS),
        ('"taxes": [{"taxNum": 1}], "taxation": [{"taxNum": 2}]', AMBIGUOUS),
        ('"taxes": [{}]', SCHEMA_INVALID),
        ('"taxes": {"taxNum": 1}', SCHEMA_INVALID),
        ('"detailLines": [{"guestCheckLineItemId": null}]', SCHEMA_INVALID),
        ('"detailLines": [7]', SCHEMA_INVALID),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_check_that_cannot_be_stored_is_set_aside_and_its_neighbour_loads(
    warehouse: Warehouse, field: str, code: ErrorCode
) -> None:
    result = ingest(warehouse, bad_check(field))
    assert Loaded({"guestChecks[0]": code}, 1) == result
    assert [1] == [row["guest_check_id"] for row in warehouse.rows("guest_checks")]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ("null", SCHEMA_INVALID),
        ("[]", SCHEMA_INVALID),
        ("7", SCHEMA_INVALID),
        ('"text"', SCHEMA_INVALID),
        ("{}", SCHEMA_INVALID),
        ('{"guestCheckId": null}', SCHEMA_INVALID),
        ('{"guestCheckId": 9223372036854775808}', SCHEMA_INVALID),
        ('{"guestCheckId": ' + "9" * 5000 + "}", SCHEMA_INVALID),
        (r'{"guestCheckId": "\u0000"}', SCHEMA_INVALID),
        (r'{"guestCheckId": "\ud800"}', SCHEMA_INVALID),
        ('{"guestCheckId": 2, "guestCheckId": 3}', AMBIGUOUS),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_no_check_is_set_aside_and_its_neighbour_loads(
    warehouse: Warehouse, record: str, code: ErrorCode
) -> None:
    assert Loaded({"guestChecks[0]": code}, 1) == ingest(warehouse, with_good(record))
    assert [1] == [row["guest_check_id"] for row in warehouse.rows("guest_checks")]


@pytest.mark.parametrize(
    ("field", "column", "stored"),
    [
        ('"subTtl": 1e999', "sub_ttl", Decimal("1E+999")),
        ('"subTtl": 123456789012345678901234567890', "sub_ttl", 123456789012345678901234567890),
        ('"subTtl": ' + "9" * 5000, "sub_ttl", Decimal("9" * 5000)),
        ('"subTtl": 0e999999', "sub_ttl", Decimal(0)),
        ('"subTtl": 0.1000', "sub_ttl", Decimal("0.1000")),
        ('"subTtl": "5.10"', "sub_ttl", Decimal("5.10")),
        ('"new": 9223372036854775808', "extra", {"new": 9223372036854775808}),
        (
            '"new": 12345678901234567.123456789',
            "extra",
            {"new": Decimal("12345678901234567.123456789")},
        ),
        ('"gstCnt": 5.0', "gst_cnt", 5),
        ('"gstCnt": 2, "gstCnt": 2', "gst_cnt", 2),
        (r'"tblName": "\ud83c\udf55\u2028\\N\t"', "tbl_name", "🍕\u2028\\N\t"),
        ('"tblName": "' + "x" * 1_000_000 + '"', "tbl_name", "x" * 1_000_000),
        ('"opnUTC": "2024-01-01T10:00:00-03:00"', "opn_utc", "2024-01-01T13:00:00+00:00"),
        ('"opnUTC": "2024-01-01T10:00:00"', "opn_utc", "2024-01-01T10:00:00+00:00"),
        ('"opnUTC": "2024-01-01T10:00:00Z"', "opn_utc", "2024-01-01T10:00:00+00:00"),
        ('"opnLcl": "2024-01-01T10:00:00-03:00"', "opn_lcl", "2024-01-01T10:00:00"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_value_that_is_odd_but_true_is_stored_as_sent(
    warehouse: Warehouse, field: str, column: str, stored: Any
) -> None:
    assert Loaded({}, 0) == ingest(warehouse, bad_check(field))
    row = next(row for row in warehouse.rows("guest_checks") if row["guest_check_id"] == 2)
    assert written(stored) == written(row[column])


def written(value: Any) -> Any:
    """Write times as text, and numbers with all of their digits."""
    if isinstance(value, datetime):
        return value.isoformat()
    return format(Decimal(value), "f") if isinstance(value, int | Decimal) else value


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
        (gzip.compress(GOOD.encode())[:-9], ErrorCode.ENCODING_INVALID),
        (gzip.compress(GOOD.encode())[:-4] + b"\0\0\0\0", ErrorCode.ENCODING_INVALID),
        (gzip.compress(GOOD.encode()) + b"trailing", ErrorCode.ENCODING_INVALID),
        (gzip.compress(b" " * (LIMIT + 1)), ErrorCode.OBJECT_TOO_LARGE),
        (gzip.compress(gzip.compress(GOOD.encode())), ErrorCode.ENCODING_INVALID),
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
        gzip.compress(with_good(GOOD)),
        gzip.compress(with_good(GOOD)[:30]) + gzip.compress(with_good(GOOD)[30:]),
        gzip.compress(with_good(GOOD)) + b"\0" * 100,
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
    assert load(warehouse, prepare(found, KNOWLEDGE, LIMIT)) is None
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
    head = '{"storeId": "99 CB CB", "' + list_field(source) + '": ['
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
        prepared = prepare(found, KNOWLEDGE, LIMIT)
        return prepared, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


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
    shape = STORE_DAY_LISTS[source]

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
    for document in (value, {"storeId": value}, {list_field(source): value}, {"curUTC": value}):
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
        prepared = prepare(document, KNOWLEDGE, LIMIT)
    except Permanent as refused:
        outcome = (refused.code.is_permanent, str(refused) != "")
    else:
        counted = prepared.document.quarantined_count
        outcome = (counted >= len(prepared.quarantined), prepared.document.record_count >= 0)
    assert (True, True) == outcome
