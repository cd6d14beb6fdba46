"""Which answers with status 200 may be stored."""

from datetime import UTC, datetime

import pytest

from producer.errors import AnswerRejected
from producer.pulling.answers import Answer, check_answer


def answer(body: bytes, content_type: str = "application/json") -> Answer:
    return Answer(body, content_type, 200, datetime(2024, 1, 1, tzinfo=UTC), 0.1)


@pytest.mark.parametrize(
    "body",
    [
        b'{"curUTC": "2024-01-01T00:00:00", "locRef": "1", "guestChecks": []}',
        b'{"storeId": "1", "busDt": "2024-01-01"}',
        b'{"storeId": "1", "fiscalInvoices": null}',
        b'{"storeId": "1", "error": null, "chargeBacks": []}',
        b'{"storeId": "1", "status": "ok", "type": "daily"}',
        b'{"renamed": [{"status": 1}], "status": 2, "title": "x"}',
        b'\xef\xbb\xbf{"storeId": "1"}',
        b'{"storeId": "1", "amount": NaN}',
        b'{"storeId": "\\ud800"}',
        b'{"storeId": "1", "amount": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_document_passes_however_odd_its_content(body: bytes) -> None:
    check_answer(answer(body))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b'{"a": 1', "line 1, column 8"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "a list where an object is expected"),
        (b"null", "a single value where an object is expected"),
        (b"{}", "an empty object"),
        (b'{"error": "no such store"}', "no such store"),
        (b'{"error": {"message": "no\\u001b such store"}}', "no  such store"),
        (b'{"storeId": "1", "error": "partial"}', "partial"),
        (b'{"type": "about:blank", "title": "Gone", "status": 410, "detail": "d"}', "Gone: d"),
        (b'{"title": "Gone", "status": 410}', "Gone"),
    ],
)
def test_anything_else_is_rejected_and_the_reason_named(body: bytes, reason: str) -> None:
    with pytest.raises(AnswerRejected, match="the ERP answered 200 with") as caught:
        check_answer(answer(body))
    assert reason in str(caught.value)


def test_a_web_page_is_rejected_by_its_content_and_named_by_its_type() -> None:
    with pytest.raises(AnswerRejected, match="text/html"):
        check_answer(answer(b"<html>Login</html>", "text/html"))


def test_a_document_passes_though_the_erp_calls_it_text() -> None:
    """Only the content decides: media types are set by proxies."""
    check_answer(answer(b'{"storeId": "1"}', "text/plain"))


def test_a_long_error_is_cut() -> None:
    with pytest.raises(AnswerRejected) as caught:
        check_answer(answer(b'{"error": "' + b"x" * 5000 + b'"}'))
    assert len(str(caught.value)) < 300
