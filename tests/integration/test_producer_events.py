"""Objects announced by the producer itself, as processes, against LocalStack."""

import time
from pathlib import Path
from typing import TypeGuard

from schemas.envelopes import Ignored, ObjectEvent, decode_body
from tests.conftest import Lake
from tests.support.producing import keys, producer, summary
from tests.support.programs import DEADLINE_SECONDS


def received(lake: Lake, count: int) -> list[ObjectEvent]:
    """Take `count` messages off the queue, or as many as come in time, and read them."""
    events: list[ObjectEvent] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(events) < count and time.monotonic() < deadline:
        answer = lake.sqs.receive_message(
            QueueUrl=lake.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        for message in answer.get("Messages", ()):
            events += [event for event in decode_body(message["Body"]) if is_creation(event)]
            lake.sqs.delete_message(QueueUrl=lake.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return events


def is_creation(event: ObjectEvent | Ignored) -> TypeGuard[ObjectEvent]:
    return isinstance(event, ObjectEvent)


def test_objects_in_the_lake_are_announced_as_s3_would(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """Names with spaces, plus signs and accents; a dry run sends nothing."""
    names = ["a b.json", "1+2.json", "Relatório.json", "other.txt"]
    lake.s3.put_bucket_notification_configuration(Bucket=lake.bucket, NotificationConfiguration={})
    for name in names:
        lake.s3.put_object(Bucket=lake.bucket, Key=f"raw/erp/{name}", Body=b"{}")
    arguments = ["publish", "--prefix", "raw/", "--pattern", "*.json", "--since", "2024-01-01"]
    dry = producer([*arguments, "--dry-run"], environment, tmp_path)
    assert dry.returncode == 0, dry.stderr
    assert sorted(f"raw/erp/{name}" for name in names[:3]) == dry.stdout.splitlines()[:3]
    result = producer([*arguments, "--json", "--rate", "500"], environment, tmp_path)
    assert (result.returncode, summary(result)["stored"]) == (0, 3), result.stderr

    events = {event.key: event for event in received(lake, 3)}
    assert events.keys() == {f"raw/erp/{name}" for name in names[:3]}
    for key, event in events.items():
        head = lake.s3.head_object(Bucket=lake.bucket, Key=key)
        assert (event.bucket, event.size_bytes) == (lake.bucket, 2)
        assert (event.etag, event.event_time) == (head["ETag"].strip('"'), head["LastModified"])


def test_pull_and_upload_announce_by_themselves_what_the_bucket_does_not(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    lake.s3.put_bucket_notification_configuration(Bucket=lake.bucket, NotificationConfiguration={})
    publishing = environment | {"EVENTS": "publish"}
    (tmp_path / "a.json").write_bytes(b"{}")
    pull = ["pull", "--from", "2024-01-01", "--store", "1"]
    for arguments in (pull, pull, ["upload", "a.json"]):
        result = producer(arguments, publishing, tmp_path)
        assert result.returncode == 0, result.stderr
    announced = sorted(event.key for event in received(lake, 6))
    assert announced == sorted(keys(lake, "raw/"))
    assert len(announced) == 6


def test_what_could_not_be_announced_is_named_though_it_is_stored(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    publishing = environment | {"EVENTS": "publish", "QUEUE_URL": f"{lake.queue_url}-gone"}
    (tmp_path / "a.json").write_bytes(b"{}")
    result = producer(["upload", "a.json", "--json"], publishing, tmp_path)
    assert result.returncode == 1
    [failure] = summary(result)["failures"]
    assert failure["code"] == "queue_closed"
    assert "producer publish --prefix 'raw/erp/a.json'" in failure["message"]
    assert keys(lake, "raw/") == ["raw/erp/a.json"]
