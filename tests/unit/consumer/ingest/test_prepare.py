"""From an object to a document that is ready to load, or the reason why not."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from consumer.drift.findings import Drift
from consumer.errors import Permanent
from consumer.ingest import assembly
from consumer.ingest import prepare as preparation
from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import prepare
from consumer.load.document import Gap
from consumer.spool import Spool
from schemas.codes import ErrorCode
from schemas.registry import Source
from tests.support.samples import ALIASES, checks, day_list, fetched, full_check, prepared
from tests.support.scenarios import History, histories

SOURCE = Source.TRANSACTIONS


def test_good_and_bad_records_are_counted() -> None:
    outcome = prepared(checks(full_check(1), {"guestCheckId": "x"}, None, full_check(2)))
    document = outcome.document
    assert (2, 2) == (document.record_count, document.quarantined_count)
    assert ["guestChecks[1]", "guestChecks[2]"] == [record.path for record in outcome.quarantined]


def test_documents_of_one_process_have_their_own_numbers() -> None:
    assert prepared(checks()).document.number != prepared(checks()).document.number


@pytest.mark.parametrize(
    ("rows", "gap"),
    [
        ([{"transactionId": 1}], None),
        ([{"transactionId": 1, "amount": {}}], Gap(tells=False, record_ids=("1",))),
        (
            [{"transactionId": 1, "amount": {}}, {"transactionId": 1}],
            Gap(tells=False, record_ids=()),
        ),
        ([{"transactionId": 1, "amount": {}}, {"amount": {}}], Gap(tells=True, record_ids=())),
        ([{"transactionId": 1}, 7], Gap(tells=True, record_ids=("1",))),
        ([{"transactionId": "x" * 401}], Gap(tells=True, record_ids=())),
    ],
)
def test_an_answer_does_not_tell_of_bad_rows_nor_of_any_other_when_the_id_of_one_is_not_known(
    rows: list[Any], gap: Gap | None
) -> None:
    assert gap == prepared(day_list(SOURCE, *rows), SOURCE).document.gap


@pytest.mark.parametrize("streamed", [False, True])
def test_fewer_records_than_the_document_says_are_a_part_of_the_day(*, streamed: bool) -> None:
    """Taken for the day, they would remove the others."""
    rows = [{"transactionId": 1}, {"transactionId": "x" * 401}]
    assert 1 == prepared(day_list(SOURCE, *rows, total=2), SOURCE).document.record_count
    part = fetched(day_list(SOURCE, *rows, totalCount=3), SOURCE)
    if streamed:
        assert isinstance(part.data, bytes)
        spool = Spool(0)
        spool.append(part.data)
        part = replace(part, data=spool)
    with pytest.raises(
        Permanent, match="a part, with 2 of 3 records; pull the day again"
    ) as refused:
        prepare(part, ALIASES, 10**6)
    assert ErrorCode.SCHEMA_INVALID == refused.value.code


def test_two_thousand_bad_rows_keep_two_thousand_ids_and_tell_the_first_thousand() -> None:
    rows = [{"transactionId": number, "amount": {}} for number in range(2000)]
    outcome = prepared(day_list(SOURCE, *rows), SOURCE)
    assert outcome.document.gap is not None
    assert 2000 == outcome.document.quarantined_count == len(outcome.document.gap.record_ids)
    assert 1000 == len(outcome.quarantined)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"{", ErrorCode.JSON_MALFORMED),
        (b"\xff\xfe", ErrorCode.ENCODING_INVALID),
        (b"[]", ErrorCode.SCHEMA_INVALID),
        (day_list(SOURCE, store="other"), ErrorCode.IDENTITY_MISMATCH),
        ({**day_list(SOURCE), "locRef": "other"}, ErrorCode.AMBIGUOUS_FIELD),
    ],
)
def test_a_document_that_is_refused_says_why(document: Any, code: ErrorCode) -> None:
    with pytest.raises(Permanent) as refused:
        prepared(document, SOURCE)
    assert code == refused.value.code


def test_a_document_larger_than_allowed_is_refused() -> None:
    with pytest.raises(Permanent) as refused:
        prepare(fetched(b" " * 100 + b"{}"), ALIASES, 101)
    assert ErrorCode.OBJECT_TOO_LARGE == refused.value.code


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(histories("x", max_versions=2))
def test_a_document_read_as_a_stream_is_the_one_read_at_once(history: History) -> None:
    """Rows, counts and what was set aside; only the document's number differs."""
    for version in history.versions:
        assert isinstance(version.fetched.data, bytes)
        spool = Spool(100)
        spool.append(version.fetched.data)
        whole = prepare(version.fetched, ALIASES, 10**6)
        streamed = prepare(replace(version.fetched, data=spool), ALIASES, 10**6)
        assert whole.quarantined == streamed.quarantined
        assert summary(whole) == summary(streamed)


def summary(outcome: Prepared) -> dict[str, Any]:
    document = outcome.document
    number = f"{document.number}\t".encode()
    tables = {
        name: [
            # Only what is read at once is digested.
            re.sub(rb"\\\\x[0-9a-f]{32}$", rb"\\N", row.removeprefix(number))
            for row in b"".join(spool.chunks()).splitlines()
        ]
        for name, spool in document.rows.tables.items()
    }
    counts = (document.record_count, document.quarantined_count, document.rows.row_count)
    told = (document.gap, document.days, document.drift)
    return {"frame": document.frame, "tables": tables, "counts": counts, "told": told}


def test_a_document_loads_though_its_drift_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only counts or reports holds no document up."""

    def fail(*_: Any) -> Drift:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(assembly, "find_drift", fail)
    monkeypatch.setattr(preparation, "find_root_drift", fail)
    document = prepared(checks(full_check(1, mood="good"))).document
    assert (1, Drift()) == (document.record_count, document.drift)
    with pytest.raises(Permanent) as refused:
        prepared(checks(store=None, curUTC=7))
    assert () == refused.value.findings


@pytest.mark.parametrize("name", ["mood\0", "\ud800"])
def test_no_finding_has_a_path_that_no_table_can_hold(name: str) -> None:
    """A refused root was not looked into for that."""
    with pytest.raises(Permanent) as refused:
        prepared({"locRef": "1", name: [full_check(1)], "curUTC": 7})
    assert ["curUTC"] == [finding.path for finding in refused.value.findings or ()]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["2024-02-03", "2024-02-02", "2024-02-03"], ["2024-02-03", "2024-02-02"]),
        (["2024-02-03", "2024-02-02"], ["2024-02-02", "2024-02-03"]),
        (["0001-01-01"], ["0001-01-01"]),
        (["no day", 7, None], ["2024-06-01"]),
    ],
)
def test_an_export_is_of_the_days_on_which_its_checks_opened_the_busiest_first(
    days: list[Any], expected: list[str]
) -> None:
    """Whichever way they are read; one that names no day is of the day of its event."""
    rows = [full_check(number, opnBusDt=day) for number, day in enumerate(days)]
    for by_contract in (False, True):
        document = prepared(checks(*rows), by_contract=by_contract).document
        assert expected == list(map(str, document.days))
