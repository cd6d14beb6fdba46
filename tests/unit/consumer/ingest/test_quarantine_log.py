"""The error log of a document names each bad record: where, which, all that is wrong, what would do."""

import json
from typing import Any

import pytest

from consumer.ingest.error_logs import records_invalid, write_error_log
from schemas.envelopes import ObjectEvent
from schemas.registry import Source
from tests.support.consumer_fakes import BUCKET, FakeLogs, delivery, play
from tests.support.samples import checks, day_list, full_check, prepared

INTEGER = "expected an integer of at most 64 bits, or the same in quotes"
NUMBER = "expected a finite number of at most 28 digits before the point and 10 after it, or the same in quotes"
FLAG = "expected true or false (0 and 1 are taken as such)"
DAY = "expected a date like 2024-01-31"
TIME = "expected a time like 2024-01-31T13:45:00"


def log_of(document: Any, source: Source = Source.ERP) -> dict[str, Any]:
    """Write the error log of a document with bad records, and read it."""
    found = prepared(document, source)
    logs = FakeLogs()
    error = records_invalid(found.document, found.quarantined[0])
    event = ObjectEvent(BUCKET, "raw/erp/a.json", "ObjectCreated:Put")
    play(write_error_log(logs, delivery("{}"), error, event, found))
    [body] = logs.written.values()
    return dict(json.loads(body))


def test_each_bad_record_is_listed_with_every_error_at_its_place() -> None:
    line = {
        "guestCheckLineItemId": 9,
        "busDt": "2024-02-30",
        "menuItem": {"miNum": [], "prcLvl": 1},
    }
    bad = full_check(
        4455667788,
        gstCnt="two",
        opnUTC=0,
        clsdFlag="yes",
        tblName={},
        taxes=[{"taxNum": 28}, {"taxNum": None, "taxRate": "21 %"}],
        detailLines=[
            {"guestCheckLineItemId": 8},
            line,
            {"guestCheckLineItemId": 7, "vdFlag": "no"},
        ],
    )
    log = log_of(checks(full_check(1), bad, full_check(2), None, {"chkNum": 5}))
    assert ("records_invalid", 3) == (log["code"], log["records_total"])
    assert ["guestChecks[1]", "guestChecks[3]", "guestChecks[4]"] == [
        record["path"] for record in log["records"]
    ]
    assert ["4455667788", None, None] == [record["record_id"] for record in log["records"]]
    assert {"schema_invalid"} == {record["code"] for record in log["records"]}
    expected = [
        ("opnUTC", TIME, "0"),
        ("clsdFlag", FLAG, "'yes'"),
        ("gstCnt", INTEGER, "'two'"),
        ("taxes[1].taxNum", INTEGER, "None"),
        ("taxes[1].taxRate", NUMBER, "'21 %'"),
        ("detailLines[1].busDt", DAY, "'2024-02-30'"),
        ("detailLines[1].menuItem.miNum", INTEGER, "[]"),
        ("detailLines[2].vdFlag", FLAG, "'no'"),
    ]
    errors = log["records"][0]["errors"]
    assert expected == [(one["location"], one["message"], one["value"]) for one in errors]
    [missing] = log["records"][2]["errors"]
    assert missing["location"] == "guestCheckId"
    assert missing["message"].startswith("required: expected an integer of at most 64 bits")


def test_a_bad_row_of_a_list_is_listed_likewise() -> None:
    rows = [{"invoiceId": 1}, {"invoiceId": "A-2", "amount": "5,10", "tax": True}, {"tax": []}]
    log = log_of(day_list(Source.FISCAL_INVOICE, *rows), Source.FISCAL_INVOICE)
    assert [
        {
            "path": "fiscalInvoices[1]",
            "record_id": "A-2",
            "code": "schema_invalid",
            "errors": [
                {"location": "amount", "message": NUMBER, "value": "'5,10'"},
                {"location": "tax", "message": NUMBER, "value": "True"},
            ],
        },
        {
            "path": "fiscalInvoices[2]",
            "record_id": None,
            "code": "schema_invalid",
            "errors": [{"location": "tax", "message": NUMBER, "value": "[]"}],
        },
    ] == log["records"]


@pytest.mark.parametrize(
    "value",
    ["x" * 1_000_000, [["y" * 1000] * 10] * 10, {"a": {"b": {"c": ["z" * 9999]}}}],
    ids=["text", "list", "object"],
)
def test_a_value_is_cut_short_whatever_its_size(value: Any) -> None:
    log = log_of(checks({"guestCheckId": 1, "gstCnt": value}))
    [error] = log["records"][0]["errors"]
    assert "gstCnt" == error["location"]
    assert 0 < len(error["value"]) <= 120
    assert len(json.dumps(log)) < 3000


@pytest.mark.parametrize(
    ("fields", "code", "location", "said"),
    [
        (r'"tblName": "a\u0000b"', "schema_invalid", "tblName", "NUL"),
        (r'"new": [{"deep": "\ud800"}]', "schema_invalid", "new[0].deep", "surrogate"),
        ('"subTtl": NaN', "schema_invalid", "subTtl", "not finite"),
        ('"gstCnt": 1, "gstCnt": 2', "ambiguous_field", "gstCnt", "more than once"),
        (
            '"taxes": [{"taxNum": 1}], "taxation": [{"taxNum": 2}]',
            "ambiguous_field",
            "taxes",
            "both 'taxes' and its other name 'taxation' are filled",
        ),
    ],
)
def test_what_cannot_be_stored_or_decided_is_named(
    fields: str, code: str, location: str, said: str
) -> None:
    log = log_of(f'{{"locRef": "S", "guestChecks": [{{"guestCheckId": 7, {fields}}}]}}'.encode())
    [record] = log["records"]
    assert ("guestChecks[0]", "7", code) == (record["path"], record["record_id"], record["code"])
    assert location == record["errors"][0]["location"]
    assert said in record["errors"][0]["message"]


def test_of_two_names_both_values_are_told_each_cut_short() -> None:
    """Which of the two to correct is told by what they say."""
    check = {"guestCheckId": 7, "taxes": [{"taxNum": 1}], "taxation": "x" * 500}
    log = log_of(checks(check))
    value = log["records"][0]["errors"][0]["value"]
    assert value.startswith("[{'taxNum': 1}] and 'xxx")
    assert 120 >= len(value)
    assert value in log["message"]
    assert "correct it at its source and pull or upload the document again" in log["message"]


def test_two_names_inside_a_line_are_named_and_cost_the_record() -> None:
    line = {"guestCheckLineItemId": 1, "errorCorrect": {"type": 1}, "errorCode": {"type": 2}}
    log = log_of(checks(full_check(1, detailLines=[line]), full_check(2)))
    [record] = log["records"]
    assert ("guestChecks[0]", "ambiguous_field") == (record["path"], record["code"])
    assert "'errorCorrect' and its other name 'errorCode'" in record["errors"][0]["message"]


def test_of_many_bad_records_a_thousand_are_listed_and_all_are_counted() -> None:
    log = log_of(checks(*({"guestCheckId": number, "gstCnt": "x"} for number in range(1500))))
    assert (1000, 1500) == (len(log["records"]), log["records_total"])
    assert "guestChecks[999]" == log["records"][-1]["path"]
    assert "1500 of 1500 records" in log["message"]
