"""What an error log says: everything that is known of a failure."""

import json
from importlib.metadata import version
from typing import Any

import pytest

from consumer.documents.quarantine import Quarantined
from consumer.errors import ConsumerError, Internal, Permanent, RecordError
from consumer.ingest.error_logs import log_key, records_invalid, write_error_log
from schemas.codes import ErrorCode
from schemas.envelopes import ObjectEvent
from tests.support.consumer_fakes import BUCKET, NOON, FakeLogs, announcing, delivery, play
from tests.support.samples import checks, full_check, prepared

EVENT = ObjectEvent(
    BUCKET, "raw/erp/a b.json", "ObjectCreated:Put", "v1", "e1", 12, "0A", event_time=NOON
)
BROKEN = Permanent(
    ErrorCode.SCHEMA_INVALID, "wrong", (RecordError("curUTC", "expected a time", "'x'"),)
)


def written(error: ConsumerError, event: ObjectEvent | None, body: str = "{}") -> dict[str, Any]:
    """Write the log of a failure, and read it."""
    logs = FakeLogs()
    play(write_error_log(logs, delivery(body, receive_count=2), error, event))
    [log] = logs.written.values()
    return dict(json.loads(log))


def test_the_log_says_everything_that_is_known() -> None:
    body = announcing(EVENT.key)
    log = written(BROKEN, EVENT, body)
    assert log.pop("failed_at")
    assert log == {
        "code": "schema_invalid",
        "message": "wrong",
        "errors": [{"location": "curUTC", "message": "expected a time", "value": "'x'"}],
        "records": [],
        "records_total": 0,
        "object": {
            "bucket": BUCKET,
            "key": "raw/erp/a b.json",
            "event_name": "ObjectCreated:Put",
            "version_id": "v1",
            "etag": "e1",
            "size_bytes": 12,
            "sequencer": "0A",
            "event_time": "2024-06-01T12:00:00+00:00",
            "is_forced": False,
        },
        "message_id": "m1",
        "attempts": 2,
        "received_at": "2024-06-01T12:00:00+00:00",
        "body": body,
        "traceback": None,
        "version": version("coco-ingest"),
    }


def test_the_log_of_a_document_names_its_bad_records() -> None:
    found = prepared(checks(full_check(1), {"guestCheckId": "two"}, 3))
    logs = FakeLogs()
    error = records_invalid(found.document, found.quarantined[0])
    assert error.code is ErrorCode.RECORDS_INVALID
    assert str(error).startswith("2 of 3 records were set aside, the first guestChecks[1]")

    play(write_error_log(logs, delivery("{}"), error, EVENT, found))
    [body] = logs.written.values()
    log = json.loads(body)
    assert [record["path"] for record in log["records"]] == ["guestChecks[1]", "guestChecks[2]"]
    assert log["records"][0]["errors"][0]["location"] == "guestCheckId"
    assert log["records_total"] == 2


def test_the_log_of_a_bug_has_its_traceback_and_the_release_that_has_it() -> None:
    def deep_inside() -> None:
        raise ZeroDivisionError("the reason")

    try:
        deep_inside()
    except ZeroDivisionError as error:
        log = written(Internal.of(error), EVENT)
    assert log["code"] == "internal"
    assert "in deep_inside" in log["traceback"]
    assert "ZeroDivisionError: the reason" in log["traceback"]
    assert log["version"] == version("coco-ingest")


def test_the_log_of_a_bug_in_a_bug_s_message_is_bounded() -> None:
    log = written(Internal.of(ValueError("x" * 10**6)), None)
    assert len(log["traceback"]) <= 50_000


def test_a_document_with_errors_without_number_has_a_log_of_some_megabytes() -> None:
    """A thousand records with a thousand errors each would be half a gigabyte."""
    found = prepared(checks({"guestCheckId": "bad"}))
    errors = (RecordError("a", "b" * 100, "c" * 120),) * 1000
    found.quarantined[:] = [
        Quarantined(f"guestChecks[{number}]", None, ErrorCode.SCHEMA_INVALID, errors)
        for number in range(1000)
    ]
    logs = FakeLogs()
    play(write_error_log(logs, delivery("{}"), BROKEN, EVENT, found))
    [body] = logs.written.values()
    assert len(body) < 10 * 2**20
    [first, *others] = json.loads(body)["records"]
    assert (len(first["errors"]), first["errors_total"], len(others)) == (20, 1000, 999)


@pytest.mark.parametrize(
    "key",
    ["raw/erp/../../etc/passwd.json", "raw/erp/'; DROP TABLE x; --.json", "../x", "/", "a\nb"],
)
def test_no_part_of_an_object_s_key_is_part_of_its_log_s_key(key: str) -> None:
    where = log_key(delivery("{}"), ObjectEvent(BUCKET, key, "ObjectCreated:Put"))
    assert where.startswith(
        ("logs/errors/erp/2024/06/01/m1-", "logs/errors/unknown/2024/06/01/m1-")
    )
    assert ".." not in where
    assert "DROP" not in where
