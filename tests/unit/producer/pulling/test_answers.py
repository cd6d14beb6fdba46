"""Which answers with status 200 may be stored."""

from datetime import UTC, date, datetime

import pytest

from producer.errors import AnswerRejected
from producer.pulling.answers import Answer, Reading, doubt_about, read_answer
from producer.pulling.targets import PullTarget
from schemas.registry import ENDPOINTS


def answer(body: bytes, content_type: str = "application/json") -> Answer:
    return Answer(body, content_type, datetime(2024, 1, 1, tzinfo=UTC), 0.1)


TARGET = PullTarget(ENDPOINTS[0], "1", date(2024, 1, 1))


def read(given: Answer) -> Reading:
    return read_answer(given, TARGET)


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
        b'{"waiter": "\\ud800"}',
        b'{"storeId": "1", "amount": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_document_passes_however_odd_its_content(body: bytes) -> None:
    assert read(answer(body)).more is None


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
        read(answer(body))
    assert reason in str(caught.value)


def test_a_web_page_is_rejected_by_its_content_and_named_by_its_type() -> None:
    with pytest.raises(AnswerRejected, match="text/html"):
        read(answer(b"<html>Login</html>", "text/html"))


def test_a_document_passes_though_the_erp_calls_it_text() -> None:
    """Only the content decides: media types are set by proxies."""
    assert read(answer(b'{"storeId": "1"}', "text/plain")) == read(answer(b'{"storeId": "1"}'))


def test_a_long_error_is_cut() -> None:
    with pytest.raises(AnswerRejected) as caught:
        read(answer(b'{"error": "' + b"x" * 5000 + b'"}'))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"storeId": "2", "guestChecks": []}', "another store: '2'"),
        (b'{"locRef": "01", "guestChecks": []}', "another store: '01'"),
        (b'{"storeId": "1", "busDt": "2024-01-02", "transactions": []}', "another day: 2024-01-02"),
    ],
)
def test_the_answer_of_another_store_or_day_is_rejected(body: bytes, reason: str) -> None:
    """Stored, it would be `identity_mismatch` in the consumer, whatever is replayed."""
    with pytest.raises(AnswerRejected, match=reason):
        read(answer(body))


@pytest.mark.parametrize(
    "body",
    [
        b'{"storeId": " 1 ", "busDt": "2024-01-01T00:00:00"}',
        b'{"storeId": 1, "busDt": null}',
        b'{"storeId": {}, "busDt": "01/01/2024"}',
        b'{"rows": [{"storeId": "2", "busDt": "2024-01-02"}]}',
    ],
)
def test_what_does_not_contradict_the_question_passes(body: bytes) -> None:
    """What cannot be read as store or day is for the consumer to judge."""
    assert read(answer(body)).more is None


def checks(*days: str) -> Reading:
    rows = ", ".join(f'{{"opnBusDt": "{opened}", "clsdBusDt": null}}' for opened in days)
    return read(answer(f'{{"locRef": "1", "guestChecks": [{rows}]}}'.encode()))


def test_checks_of_other_days_only_are_doubted() -> None:
    """Guest checks have no day at their root: the wrong ones would load as another day."""
    assert doubt_about([checks("2023-12-30", "2023-12-31")], TARGET) == (
        "0 of 2 checks were opened or closed on 2024-01-01, the others on 2023-12-30, 2023-12-31"
    )
    many = checks(*(f"2023-12-{day}" for day in range(10, 20)))
    assert str(doubt_about([many], TARGET)).endswith("2023-12-10, 2023-12-11, 2023-12-12 …")


def test_checks_of_the_day_asked_are_not_doubted() -> None:
    """Opened or closed, on any page, half of them at least; so is a day without checks."""
    closed = read(
        answer(b'{"guestChecks": [{"opnBusDt": "2023-12-31", "clsdBusDt": "2024-01-01"}]}')
    )
    for readings in ([closed], [checks("2023-12-31"), checks("2024-01-01")], [checks()]):
        assert doubt_about(readings, TARGET) is None


def test_one_check_of_the_day_asked_does_not_vouch_for_those_of_another() -> None:
    """Hundreds that neither opened nor closed on the day are another day's answer."""
    days = ("2024-01-01", *["2023-12-31"] * 299)
    assert doubt_about([checks(*days[:100]), checks(*days[100:])], TARGET) == (
        "1 of 300 checks were opened or closed on 2024-01-01, the others on 2023-12-31"
    )
