"""What a dead-lettered message says about itself, and which ones a filter means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consumer.operate.dlq.dead_letters import Filters, read_dead_letter
from schemas.codes import ErrorCode
from tests.support.consumer_fakes import announcing, delivery

FAILED_AT = datetime(2024, 6, 1, 12, tzinfo=UTC)
REASON = {
    "ErrorCode": "json_malformed",
    "ErrorMessage": "broken",
    "ErrorLogKey": "logs/errors/erp/x.json",
    "ObjectKey": "raw/erp/a.json",
    "FailedAt": "2024-06-01T12:00:00+00:00",
    "Attempts": "3",
}


def test_a_dead_letter_says_why_it_was_dead_lettered() -> None:
    received = delivery(attributes=REASON, message_id="m9")
    dead_letter = read_dead_letter(replace(received, sent_at=FAILED_AT - timedelta(hours=1)))
    assert dead_letter.shown() == {
        "id": "m9",
        "original_id": "m9",
        "error_code": "json_malformed",
        "error_message": "broken",
        "error_log_key": "logs/errors/erp/x.json",
        "object_key": "raw/erp/a.json",
        "failed_at": FAILED_AT,
        "sent_at": FAILED_AT - timedelta(hours=1),
        "attempts": 3,
        "redriven": False,
    }


def test_a_redriven_dead_letter_has_no_reason_and_its_object_is_read_from_its_body() -> None:
    received = delivery(announcing("raw/erp/café 1.json"), message_id="m9")
    dead_letter = read_dead_letter(replace(received, sent_at=FAILED_AT))
    assert dead_letter.error_code == ErrorCode.INTERNAL
    assert dead_letter.object_key == "raw/erp/café 1.json"
    assert dead_letter.failed_at is None
    assert dead_letter.attempts == 0
    assert dead_letter.redriven
    assert dead_letter.error_log_key.startswith("logs/errors/erp/2024/06/01/m9-")


@pytest.mark.parametrize("body", ["", "not json", "[]", '{"Event": "s3:TestEvent"}'])
@pytest.mark.parametrize("attributes", [{}, {"FailedAt": "soon", "Attempts": "many"}])
def test_whatever_lies_in_the_queue_can_be_looked_at(body: str, attributes: dict[str, str]) -> None:
    """One odd message must not hide all others from their operator."""
    dead_letter = read_dead_letter(delivery(body, attributes=attributes))
    assert (dead_letter.object_key, dead_letter.failed_at, dead_letter.attempts) == ("", None, 0)


def test_a_time_without_zone_is_utc() -> None:
    dead_letter = read_dead_letter(delivery(attributes={"FailedAt": "2024-06-01T12:00:00"}))
    assert dead_letter.failed_at == FAILED_AT


@pytest.mark.parametrize(
    ("attributes", "sent_at", "expected"),
    [
        (REASON, FAILED_AT - timedelta(days=1), True),
        (REASON | {"FailedAt": "2024-06-01T11:59:59"}, FAILED_AT + timedelta(days=1), False),
        ({}, FAILED_AT, True),
        ({}, FAILED_AT - timedelta(seconds=1), False),
        ({}, None, False),
    ],
)
def test_since_means_the_failure_or_else_when_the_message_was_sent(
    attributes: dict[str, str], sent_at: datetime | None, *, expected: bool
) -> None:
    """A redriven message does not say when it failed, only when it was sent."""
    dead_letter = read_dead_letter(replace(delivery(attributes=attributes), sent_at=sent_at))
    assert expected == Filters(since=FAILED_AT).match(dead_letter)


@pytest.mark.parametrize(
    ("limit", "ids", "most"),
    [(None, None, float("inf")), (3, None, 3), (None, {"a", "b"}, 2), (1, {"a", "b"}, 1)],
)
def test_a_look_may_end_once_no_other_can_be_meant(
    limit: int | None, ids: set[str] | None, most: float
) -> None:
    assert most == Filters(limit=limit, ids=frozenset(ids) if ids else None).most
