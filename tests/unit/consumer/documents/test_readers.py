"""Records: valid ones go on, bad ones are set aside with their place, id and every error."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.decoding.storable import find_unstorable, object_from_pairs
from consumer.documents.frames import Frame
from consumer.documents.quarantine import Quarantined
from consumer.documents.readers import Accepted, RecordReader, Screen, is_full, record_reader
from schemas.aliases import load_aliases
from schemas.codes import ErrorCode
from schemas.guest_checks import GuestCheck
from schemas.registry import STORE_DAY_LISTS, Source
from tests.support.facts import KINDS, LISTS

ALIASES = load_aliases()


@dataclass
class Records:
    """What became of some records."""

    accepted: list[Accepted] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


def read_records(
    reader: RecordReader, rows: list[Any], position: int = 0, screen: Screen | None = None
) -> Records:
    found = Records()
    for number, row in enumerate(rows, position):
        record = reader.read(number, row, screen)
        if isinstance(record, Accepted):
            found.accepted.append(record)
        else:
            found.quarantined.append(record)
    return found


def read(
    *rows: Any, source: Source = Source.TRANSACTIONS, careful: bool = False, extra_toml: str = ""
) -> Records:
    frame = Frame(source, "1", date(2024, 1, 1), None)
    reader = record_reader(frame, load_aliases(extra_toml))
    return read_records(reader, list(rows), 0, find_unstorable if careful else None)


def read_check(row: Any) -> GuestCheck:
    found = read(row, source=Source.GUEST_CHECKS)
    assert [] == found.quarantined
    [accepted] = found.accepted
    return GuestCheck.model_validate(accepted.record)


def ids(found: Records) -> list[str]:
    return [accepted.record_id for accepted in found.accepted]


@pytest.mark.parametrize("source", list(STORE_DAY_LISTS))
def test_a_row_keeps_what_the_contract_names_and_what_it_does_not(source: Source) -> None:
    facts = LISTS[source]
    sent = {name: KINDS[kind].taken[0] for name, kind in facts.fields.items()}
    row = {facts.id_field: 7, **{name: value for name, (value, _) in sent.items()}}
    found = read({**row, "new": 5, "nested": {"a": [1]}}, source=source)
    assert ["7"] == ids(found)
    meant = {name: value for name, (_, value) in sent.items()}
    expected = {facts.id_field: "7", **meant, "new": 5, "nested": {"a": [1]}}
    assert expected == found.accepted[0].record


def test_amounts_keep_sign_and_digits() -> None:
    found = read({"transactionId": 1, "amount": Decimal("-5.10")})
    assert "-5.10" == str(found.accepted[0].record["amount"])


@pytest.mark.parametrize(
    ("row_id", "expected"),
    [(1, "1"), ("1", "1"), (Decimal("1.0"), "1"), ("001", "001"), (True, "true")],
)
def test_an_id_is_text_whatever_it_came_as(row_id: Any, expected: str) -> None:
    assert [expected] == ids(read({"transactionId": row_id}))


def test_the_same_content_twice_is_two_rows() -> None:
    found = ids(read({"amount": 1}, {"amount": 1}, {"amount": 2}))
    assert 3 == len(set(found))


ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "amount": st.integers(0, 3) | st.sampled_from([Decimal("1.50"), Decimal("1E+20")]),
            "type": st.sampled_from(["a", "b", None]),
            "nested": st.sampled_from(
                [{"x": 1, "y": [2]}, {"y": [2], "x": 1}, Decimal("1E+9999999")]
            ),
        },
    ),
    max_size=5,
)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_same_rows_in_any_order_have_the_same_ids(rows: list[Any], random: Any) -> None:
    """A file read twice is not four rows, nor is one that the ERP sorted differently."""
    shuffled = random.sample(rows, len(rows))
    assert sorted(ids(read(*map(dict, rows)))) == sorted(ids(read(*map(dict, shuffled))))
    assert len(rows) == len(set(ids(read(*map(dict, rows)))))


def test_digits_that_say_nothing_make_no_other_row() -> None:
    first, second = ids(read({"amount": Decimal("5.10")})), ids(read({"amount": Decimal("5.1")}))
    assert first == second


@pytest.mark.parametrize("row_id", [None, ""])
def test_an_empty_id_is_no_id(row_id: Any) -> None:
    found = ids(
        read({"transactionId": row_id, "amount": 1}, {"transactionId": row_id, "amount": 1})
    )
    assert 2 == len(set(found))


@pytest.mark.parametrize(
    ("bad", "location"),
    [
        ({"amount": "x"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": {}}, "amount"),
        ({"transactionId": {}}, "transactionId"),
        ({"transactionId": "x" * 401}, "transactionId"),
    ],
)
def test_a_bad_row_is_set_aside_and_its_neighbours_go_on(bad: Any, location: str) -> None:
    found = read({"transactionId": 1}, bad, {"transactionId": 3})
    assert ["1", "3"] == ids(found)
    assert [0, 2] == [accepted.position for accepted in found.accepted]
    [record] = found.quarantined
    assert "transactions[1]" == record.path
    assert ErrorCode.SCHEMA_INVALID == record.code
    assert [location] == [error.location for error in record.errors]


@pytest.mark.parametrize("bad", [None, 7, "text", [], True])
def test_an_element_that_is_no_object_is_a_bad_record(bad: Any) -> None:
    [record] = read(bad).quarantined
    assert "expected an object" == record.errors[0].message


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ({"transactionId": 5, "amount": {}}, "5"),
        ({"transactionId": "A" * 400, "amount": {}}, "A" * 400),
        ({"transactionId": Decimal("5.0"), "amount": {}}, "5"),
        ({"transactionId": True, "amount": {}}, "true"),
        ({"transactionId": None, "amount": {}}, None),
        ({"transactionId": "", "amount": {}}, None),
        ({"amount": {}}, None),
        ({"transactionId": {}, "amount": 1}, None),
        (7, None),
    ],
)
def test_a_bad_row_tells_the_id_that_it_is_stored_under(row: Any, kept: str | None) -> None:
    """What an older answer said of that row stays; with no id told, everything stays."""
    [record] = read(row).quarantined
    assert kept == record.record_id


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_an_id_that_no_database_holds_is_not_told(text: str) -> None:
    [record] = read({"transactionId": text}, careful=True).quarantined
    assert record.record_id is None


def test_an_id_under_two_names_is_not_told() -> None:
    renamed = '[getTransactions]\n"transactions.transactionId" = ["id"]'
    [record] = read({"transactionId": 1, "id": 2}, extra_toml=renamed).quarantined
    assert (ErrorCode.AMBIGUOUS_FIELD, None) == (record.code, record.record_id)


def test_an_id_that_came_twice_is_not_told() -> None:
    row = object_from_pairs([("transactionId", 1), ("transactionId", 2)])
    [record] = read(row, careful=True).quarantined
    assert (ErrorCode.AMBIGUOUS_FIELD, None) == (record.code, record.record_id)


def test_a_check_is_set_aside_with_every_error_of_its_header() -> None:
    bad = {"guestCheckId": 1, "gstCnt": "x", "opnBusDt": "2024-02-30", "subTtl": []}
    [record] = read(bad, source=Source.GUEST_CHECKS).quarantined
    assert {"gstCnt", "opnBusDt", "subTtl"} == {error.location for error in record.errors}
    assert "1" == record.record_id


def test_an_error_inside_a_check_names_its_place() -> None:
    bad = {
        "guestCheckId": 1,
        "detailLines": [{"guestCheckLineItemId": 1, "menuItem": {"miNum": "x"}}],
    }
    [record] = read(bad, source=Source.ERP).quarantined
    assert ["detailLines[0].menuItem.miNum"] == [error.location for error in record.errors]


@pytest.mark.parametrize("renamed", [{"taxation": [{"taxNum": 1}]}, {"taxes": [{"taxNum": 1}]}])
def test_taxes_may_be_called_taxation(renamed: Any) -> None:
    check = read_check({"guestCheckId": 1, **renamed})
    assert [1] == [tax.taxNum for tax in check.taxes or ()]


def test_error_correct_may_be_called_error_code() -> None:
    line = {"guestCheckLineItemId": 1, "errorCode": {"type": "void", "objectNum": 3}}
    check = read_check({"guestCheckId": 1, "detailLines": [line]})
    correct = (check.detailLines or [])[0].errorCorrect
    assert correct is not None
    assert ("void", 3) == (correct.type, correct.objectNum)


def test_two_names_with_two_values_set_the_record_aside() -> None:
    bad = {"guestCheckId": 1, "taxes": [{"taxNum": 1}], "taxation": [{"taxNum": 2}]}
    found = read(bad, {"guestCheckId": 2}, source=Source.ERP)
    assert ["2"] == ids(found)
    [record] = found.quarantined
    assert (ErrorCode.AMBIGUOUS_FIELD, "1") == (record.code, record.record_id)
    assert "taxes" == record.errors[0].location


@pytest.mark.parametrize(
    "version", [{}, {"lastUpdatedUTC": None}, {"lastUpdatedLcl": "2024-01-01T10:00:00"}]
)
def test_a_check_without_a_version_is_partial(version: Any) -> None:
    found = read({"guestCheckId": 1, **version}, source=Source.ERP)
    assert not is_full(found.accepted[0].record)


def test_a_check_with_a_version_is_full() -> None:
    check = {"guestCheckId": 1, "lastUpdatedUTC": "2024-01-01T10:00:00"}
    assert is_full(read(check, source=Source.ERP).accepted[0].record)


def test_a_line_s_flags_are_false_when_they_are_absent() -> None:
    line = {"guestCheckLineItemId": 1, "menuItem": {}}
    [read_line] = read_check({"guestCheckId": 1, "detailLines": [line]}).detailLines or []
    flags = (read_line.vdFlag, read_line.errCorFlag, read_line.returnFlag, read_line.doNotShowFlag)
    assert (False,) * 4 == flags
    assert read_line.menuItem is not None
    assert read_line.menuItem.modFlag is False


def test_ids_beyond_32_bits_and_fractions_and_negative_amounts_are_taken() -> None:
    line = {
        "guestCheckLineItemId": 9_988_776_655,
        "dspQty": Decimal("-0.5"),
        "dspTtl": None,
        "menuItem": {"inclTax": Decimal("20.809091"), "activeTaxes": "1,5"},
    }
    [read_line] = read_check({"guestCheckId": 1, "detailLines": [line]}).detailLines or []
    assert (9_988_776_655, Decimal("-0.5"), None) == (
        read_line.guestCheckLineItemId,
        read_line.dspQty,
        read_line.dspTtl,
    )


@pytest.mark.parametrize(
    "rows", [[{"guestCheckId": 1}] * 2, [{"guestCheckId": 1}, {"guestCheckId": "1"}]]
)
def test_the_same_check_twice_is_counted(rows: list[Any]) -> None:
    frame = Frame(Source.ERP, "1", None, None)
    reader = record_reader(frame, ALIASES)
    assert 2 == len(read_records(reader, [dict(row) for row in rows]).accepted)
    assert 1 == reader.shapes.duplicates.total()


def test_the_same_row_id_twice_is_counted() -> None:
    frame = Frame(Source.TRANSACTIONS, "1", date(2024, 1, 1), None)
    reader = record_reader(frame, ALIASES)
    read_records(reader, [{"transactionId": 1}, {"transactionId": "1"}, {"transactionId": 2}])
    assert 1 == reader.shapes.duplicates.total()


def test_a_document_read_in_runs_is_read_as_a_whole() -> None:
    """Places go on, and so do occurrences of rows without an id."""
    frame = Frame(Source.TRANSACTIONS, "1", date(2024, 1, 1), None)
    rows: list[Any] = [{"amount": 1}, {"amount": 1}, 7, {"amount": 1}]
    whole = read(*(dict(row) if isinstance(row, dict) else row for row in rows))
    reader = record_reader(frame, ALIASES)
    runs = [
        read_records(reader, rows[:1]),
        read_records(reader, rows[1:3], 1),
        read_records(reader, rows[3:], 3),
    ]
    assert whole.accepted == [item for run in runs for item in run.accepted]
    assert whole.quarantined == [item for run in runs for item in run.quarantined]
