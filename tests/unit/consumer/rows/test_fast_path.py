"""Plain records become the rows that their contracts would write; all others are left to these."""

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.documents.frames import Frame
from consumer.documents.readers import record_reader
from consumer.drift.json_types import DETAIL_LEVELS, LINES_LEVEL, TAXES_LEVEL, detail_model
from consumer.ingest.assembly import Prepared
from consumer.load.document import Gap
from consumer.rows.fast_path import fast_path_of
from consumer.rows.row_writer import RowWriter
from schemas.aliases import Aliases, load_aliases
from schemas.columns import field_types
from schemas.fields import (
    BusinessDate,
    Flag,
    Int64,
    Number,
    Record,
    RecordId,
    ScalarText,
    Text,
    UtcTime,
)
from schemas.guest_checks import LINE_TYPES, DetailLine, GuestCheck, Tax
from schemas.registry import CHECKS_FIELD, STORE_DAY_LISTS, Source
from tests.support.samples import checks, day_list, full_check, prepared

INTEGERS = st.sampled_from([0, 1, 9_988_776_655, -(2**63), 2**63 - 1])
NUMBERS = INTEGERS | st.sampled_from(
    [
        *map(Decimal, ("5.10", "-1E+3", "5.0", "1E-10", "1E+27", "9" * 28)),
        # More digits than a column takes: never plain
        *map(Decimal, ("1E+28", "-1E+99999", "1E-11", "0.12345678901", "9" * 29, "-9.5E+30")),
    ]
)
TEXTS = st.sampled_from(["", "90", "São João", 'Joe "J"', "a\\b", "a\tb", "a\nb", "a\rb", "%s"])
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Int64: INTEGERS,
    Number: NUMBERS,
    Text: TEXTS,
    ScalarText: TEXTS | NUMBERS,
    RecordId: TEXTS | NUMBERS,
    Flag: st.booleans(),
    UtcTime: st.sampled_from(["2024-01-31T23:59:59", "0001-01-01T00:00:00"]),
    BusinessDate: st.sampled_from(["2024-01-31", "2024-02-29"]),
}
ODD_VALUES: list[Any] = [
    *("1", "1.50", "+5", "", "a\\b", "a\tb", "a\nb", "a\rb", "x" * 401),
    *("2024-01-31", "20240131", "24-01-31", "2024-02-30", "2024-W05-3", "2024-01-31T00:00:00"),
    *("2024-01-31T10:00", "2024-01-31T10:00:00Z", "2024-01-31T10:00:00.5", "2024-01-31T24:00:00"),
    *("2024-01-31T10:00:00+02:00", "2024-01-31T10:00:00+23:59"),
    *("2024-W01-1T10:00:00", "20240131T134500.123"),
    *(None, True, False, 0, 7, 2**63, -(2**63) - 1, Decimal("1.5"), Decimal("7.0")),
    *([], {}, [None], ["x"], [{"a": 1}]),
]
ODD: st.SearchStrategy[Any] = st.sampled_from(ODD_VALUES)
ANY = TEXTS | NUMBERS | ODD
EITHER = ["new", "taxation", "errorCode", "clsdFlag", "dspTtl"]  # unknown, renamed or known


@st.composite
def records(draw: st.DrawFn, /, model: type[Record], **children: st.SearchStrategy[Any]) -> Any:
    """Draw a record that is plain but for one field at the most."""
    types = field_types(model)
    names = draw(st.lists(st.sampled_from(sorted(types)), max_size=6))
    names += [name for name, field in model.model_fields.items() if field.is_required()]
    record = {name: draw(children.get(name, PLAIN.get(types[name], st.none()))) for name in names}
    for name in draw(st.lists(st.sampled_from(EITHER), max_size=2)):
        record[name] = draw(ANY)
    if draw(st.integers(0, 9)) == 0:
        record[draw(st.sampled_from(sorted(types)))] = draw(ODD)
    return record


DETAIL_FIELDS = [
    (name, field_name) for name in LINE_TYPES for field_name in detail_model(name).model_fields
]
DETAILS = {name: records(detail_model(name)) for name in LINE_TYPES}
LINES = records(DetailLine, **DETAILS)
CHECKS = records(
    GuestCheck,
    taxes=st.lists(records(Tax), max_size=2),
    detailLines=st.lists(LINES, max_size=3),
).map(lambda check: {"lastUpdatedUTC": "2024-01-31T23:59:59", "detailLines": [], **check})


def test_any_value_of_any_field_is_staged_as_its_contract_would() -> None:
    rows: list[Any] = []
    for name, value in product(GuestCheck.model_fields, ODD_VALUES):
        rows.append(full_check(len(rows)) | {name: value})
    for name, value in product(Tax.model_fields, ODD_VALUES):
        rows.append(full_check(len(rows), taxes=[{"taxNum": 1, name: value}]))
    for name, value in product(DetailLine.model_fields, ODD_VALUES):
        line = {"guestCheckLineItemId": len(rows), name: value}
        rows.append(full_check(len(rows), detailLines=[line]))
    for detail, field_name in DETAIL_FIELDS:
        for value in ODD_VALUES:
            line = {"guestCheckLineItemId": len(rows), detail: {field_name: value}}
            rows.append(full_check(len(rows), detailLines=[line]))
    assert_same(checks(*rows), Source.ERP)


@pytest.mark.parametrize("source", list(STORE_DAY_LISTS))
def test_any_value_of_a_row_s_field_is_staged_as_its_contract_would(source: Source) -> None:
    names = source.entry.model.model_fields
    rows = [{name: value} for name, value in product(names, ODD_VALUES)]
    assert_same(day_list(source, *rows), source)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHECKS | ODD, max_size=3))
def test_checks_are_staged_as_their_contracts_would(rows: list[Any]) -> None:
    assert_same(checks(*rows), Source.ERP)


@settings(max_examples=40)
@given(st.data(), st.sampled_from(list(STORE_DAY_LISTS)))
def test_rows_are_staged_as_their_contracts_would(data: st.DataObject, source: Source) -> None:
    rows = data.draw(st.lists(records(source.entry.model) | ODD, max_size=4))
    assert_same(day_list(source, *rows), source)


LEVELS: dict[str, type[Record]] = {
    **{source.entry.list_field: source.entry.model for source in STORE_DAY_LISTS},
    CHECKS_FIELD: GuestCheck,
    TAXES_LEVEL: Tax,
    LINES_LEVEL: DetailLine,
    **{level: detail_model(name) for name, level in DETAIL_LEVELS.items()},
}
EVERY_FIELD_RENAMED = load_aliases(
    "['*']\n"
    + "\n".join(
        f'"{level}.{name}" = ["{name}2", "{name}3"]'
        for level, model in LEVELS.items()
        for name in model.model_fields
    )
)


@st.composite
def renamed(draw: st.DrawFn, /, found: st.SearchStrategy[Any]) -> Any:
    """Give the fields of a record, and of those in it, other names, or both with two values."""
    one_in = draw(st.sampled_from([2, 20]))

    def rename(value: Any) -> Any:
        if isinstance(value, list):
            return [rename(item) for item in value]
        if not isinstance(value, dict):
            return value
        fields = {}
        for name, child in value.items():
            other = draw(st.integers(1, one_in)) == 1
            fields[name + draw(st.sampled_from("23")) if other else name] = rename(child)
            if other and draw(st.integers(1, 10)) == 1:
                fields[name] = draw(st.sampled_from([child, None, 1, ""]))
        return fields

    return rename(draw(found))


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(renamed(CHECKS), max_size=3))
def test_renamed_checks_are_staged_as_their_contracts_would(rows: list[Any]) -> None:
    assert_same(checks(*rows), Source.ERP, EVERY_FIELD_RENAMED)


@settings(max_examples=40)
@given(st.data(), st.sampled_from(list(STORE_DAY_LISTS)))
def test_renamed_rows_are_staged_as_their_contracts_would(
    data: st.DataObject, source: Source
) -> None:
    rows = data.draw(st.lists(renamed(records(source.entry.model)), max_size=4))
    assert_same(day_list(source, *rows), source, EVERY_FIELD_RENAMED)


def test_a_record_is_known_by_its_id_when_another_field_is_ambiguous() -> None:
    """Or else an answer that has it would remove what is stored of it, or keep all."""
    aliases = load_aliases(
        '[getTransactions]\n"transactions.amount" = ["ttl"]\n"transactions.transactionId" = ["id"]'
    )
    document = day_list(Source.TRANSACTIONS, {"ttl": 1, "amount": 2, "id": 7})
    assert_same(document, Source.TRANSACTIONS, aliases)
    staged = prepared(document, Source.TRANSACTIONS, aliases=aliases).document
    assert staged.gap == Gap(tells=False, record_ids=("7",))


def test_more_shapes_than_are_remembered_do_not_hide_the_usual_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("consumer.rows.template_cache._MAX_SHAPES", 20)
    monkeypatch.setattr("consumer.drift.shapes._MAX_SHAPES", 20)
    usual = [full_check(number, new=1) for number in range(100)]
    odd = [full_check(number, **{f"new{number}": 1}) for number in range(150)]
    document = checks(*usual, *odd)
    assert_same(document, Source.ERP)
    counts = prepared(document).document.drift.field_counts
    assert counts["guestChecks.lastUpdatedUTC"] >= 100


@pytest.mark.parametrize("bad", [{"gstCnt": Decimal("5.0")}, {"gstCnt": 2**63}])
def test_the_first_record_of_a_shape_is_its_example_whichever_way_it_goes(
    bad: dict[str, Any],
) -> None:
    """It says what its unknown fields may be."""
    for first, second in (({"gstCnt": 5}, bad), (bad, {"gstCnt": 5})):
        a = full_check(1, opnBusDt="2024-01-31", new=[{"taxNum": 1}], **first)
        b = full_check(2, opnBusDt="2024-03-31", new=[{"x": 1}], **second)
        assert_same(checks(a, b), Source.ERP)
        assert_same(checks(a, full_check(3, chkNum=1, opnBusDt="2023-01-01", **second)), Source.ERP)


def test_a_sale_has_the_day_of_its_line_or_else_of_its_check_and_no_bad_check_sells() -> None:
    def line(number: int, **fields: Any) -> dict[str, Any]:
        return {"guestCheckLineItemId": number, "menuItem": {"miNum": number}, **fields}

    day = {"opnBusDt": "2024-01-31"}
    rows = [
        full_check(1, detailLines=[line(1), line(2, busDt="2024-02-01"), line(2)], **day),
        full_check(2, detailLines=[line(3), line(4, busDt="2024-02-01")]),
        full_check(3, detailLines=[line(5), line(6, vdFlag="no")], **day),
        full_check(1, detailLines=[line(1), line(7, dspQty="1")], **day),
    ]
    assert_same(checks(*rows), Source.ERP)


def assert_same(document: Any, source: Source, aliases: Aliases | None = None) -> None:
    """Stage a document twice: as the service does, and without the fast path."""
    short, long = (
        prepared(document, source, aliases=aliases, by_contract=by_contract)
        for by_contract in (False, True)
    )
    assert long.quarantined == short.quarantined
    assert contents(long) == contents(short)


def contents(outcome: Prepared) -> dict[str, Any]:
    """Return all that is known of a document but its number."""
    document = outcome.document
    number = f"{document.number}\t".encode()
    tables = {
        name: [row.removeprefix(number) for row in b"".join(spool.chunks()).splitlines()]
        for name, spool in document.rows.tables.items()
    }
    return {
        "tables": {name: rows for name, rows in tables.items() if rows},
        "records": (document.record_count, document.quarantined_count, document.rows.row_count),
        "gap": document.gap,
        "days": document.days,
        "findings": set(document.drift.findings),
        "counts": (document.drift.record_counts, document.drift.field_counts),
    }


@pytest.mark.parametrize(
    ("record", "plain"),
    [
        (full_check(1, taxes=[{"taxNum": 28}], detailLines=[], new={"a": 1}), True),
        (full_check(1, taxation=[]), True),
        (full_check(1, gstCnt=None), True),
        (full_check(1, taxes=[], taxation=[]), False),
        (full_check(1, gstCnt="2"), False),
        (full_check(1, gstCnt=2**63), False),
        (full_check(1, opnUTC="2024-02-30T10:00:00"), False),
        (
            full_check(1, detailLines=[{"guestCheckLineItemId": 1, "errorCode": {"type": "v"}}]),
            True,
        ),
        (full_check(1, detailLines=[{"guestCheckLineItemId": 1, "menuItem": {"x": 1}}]), False),
        (
            full_check(1, detailLines=[{"guestCheckLineItemId": 1, "menuItem": {}, "other": {}}]),
            False,
        ),
        (full_check(1, detailLines=[{}]), False),
        (full_check(1, **{"x" * 5000: 1}), False),
        (full_check(1, **dict.fromkeys(map(str, range(200)), 1)), False),
        ({"guestCheckId": 1}, False),
        (None, False),
    ],
)
def test_what_is_plain_and_what_is_not(record: Any, *, plain: bool) -> None:
    """Or else the test above may compare the long way with itself."""
    frame = Frame(Source.ERP, "1", None, None)
    rows, reader = RowWriter(frame, 1), record_reader(frame, load_aliases())
    assert plain == fast_path_of(rows, reader, load_aliases()).take(0, record)
