"""From an object to a document that is ready to load, or the reason why not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from consumer.errors import Permanent
from consumer.ingest.prepare import Prepared, prepare
from consumer.spool import Spool
from schemas.codes import ErrorCode
from schemas.registry import Source
from tests.support.samples import KNOWLEDGE, checks, day_list, fetched, full_check, prepared
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
    ("rows", "keep_all", "keep_ids"),
    [
        ([{"transactionId": 1}], False, ()),
        ([{"transactionId": 1, "amount": {}}], False, ("1",)),
        ([{"transactionId": 1, "amount": {}}, {"amount": {}}], True, ("1",)),
        ([7], True, ()),
        ([{"transactionId": "x" * 401}], True, ()),
    ],
)
def test_what_a_bad_row_is_stored_under_stays_and_everything_does_when_that_is_not_known(
    rows: list[Any], keep_ids: tuple[str, ...], *, keep_all: bool
) -> None:
    document = prepared(day_list(SOURCE, *rows), SOURCE).document
    assert (keep_all, keep_ids) == (document.keep_all, document.keep_ids)


def test_two_thousand_bad_rows_keep_two_thousand_ids_and_tell_the_first_thousand() -> None:
    rows = [{"transactionId": number, "amount": {}} for number in range(2000)]
    outcome = prepared(day_list(SOURCE, *rows), SOURCE)
    assert 2000 == outcome.document.quarantined_count == len(outcome.document.keep_ids)
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
        prepare(fetched(b" " * 100 + b"{}"), KNOWLEDGE, 101)
    assert ErrorCode.OBJECT_TOO_LARGE == refused.value.code


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(histories("x", max_versions=2))
def test_a_document_read_as_a_stream_is_the_one_read_at_once(history: History) -> None:
    """Rows, counts and what was set aside; only the document's number differs."""
    for version in history.versions:
        assert isinstance(version.fetched.data, bytes)
        spool = Spool(100)
        spool.append(version.fetched.data)
        whole = prepare(version.fetched, KNOWLEDGE, 10**6)
        streamed = prepare(replace(version.fetched, data=spool), KNOWLEDGE, 10**6)
        assert whole.quarantined == streamed.quarantined
        assert summary(whole) == summary(streamed)


def summary(outcome: Prepared) -> dict[str, Any]:
    document = outcome.document
    number = f"{document.number}\t".encode()
    tables = {
        name: [row.removeprefix(number) for row in b"".join(spool.chunks()).splitlines()]
        for name, spool in document.rows.tables.items()
    }
    counts = (document.record_count, document.quarantined_count, document.rows.row_count)
    kept = (document.keep_all, document.keep_ids, document.findings)
    return {"frame": document.frame, "tables": tables, "counts": counts, "kept": kept}
