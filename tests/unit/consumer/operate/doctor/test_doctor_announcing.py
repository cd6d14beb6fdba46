"""What the doctor says of notification and queue policy, from facts alone."""

import json
from typing import Any, Literal

import pytest

from consumer.operate.doctor.announcing import check_announcing
from consumer.operate.doctor.findings import Finding, Level, Unknown
from consumer.operate.doctor.lake import LakeFacts
from consumer.operate.doctor.queues import QueueFacts
from schemas.layouts import read_layout
from tests.support.doctor_facts import BUCKET, MAIN_ARN, lake, main_queue, notification, statement


def unwell(
    found: LakeFacts | Unknown,
    main: QueueFacts | Unknown,
    events: Literal["bucket", "publish"] = "bucket",
) -> list[Finding]:
    """Return what is not fine."""
    findings = check_announcing(found, main, BUCKET, events)
    return [finding for finding in findings if finding.level is not Level.OK]


@pytest.mark.parametrize(
    "announced",
    [
        notification("raw/"),
        notification("raw/erp/", "raw/api_responses/"),
        notification("r", Events=["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]),
        notification(
            "raw/",
            Events=[
                f"s3:ObjectCreated:{way}"
                for way in ("Put", "Post", "Copy", "CompleteMultipartUpload")
            ],
        ),
    ],
)
def test_a_notification_of_all_documents_is_fine(announced: dict[str, Any]) -> None:
    assert [] == unwell(lake(notification=announced), main_queue())


SUFFIX = {
    "Key": {
        "FilterRules": [{"Name": "prefix", "Value": "raw/"}, {"Name": "suffix", "Value": ".json"}]
    }
}
ELSEWHERE = "arn:aws:sqs:eu-west-1:123456789012:other"


@pytest.mark.parametrize(
    ("announced", "words"),
    [
        ({}, "announces nothing on"),
        (notification("raw/", QueueArn=ELSEWHERE), f"only to {ELSEWHERE}"),
        (notification("raw/erp/"), "leave out raw/api_responses/x.json"),
        (notification("incoming/"), "leave out raw/erp/x.json"),
        (notification("", Filter=SUFFIX), "leave out raw/erp/x.json.gz"),
        (notification("raw/", Events=["s3:ObjectCreated:Put"]), "CompleteMultipartUpload"),
        (notification("raw/", Events=["s3:ObjectRemoved:*"]), "when written by"),
    ],
)
def test_what_is_not_announced_or_should_not_be_is_a_problem(
    announced: dict[str, Any], words: str
) -> None:
    found = unwell(lake(notification=announced), main_queue())
    assert {"problem"} == {finding.level for finding in found}
    assert any(words in finding.found for finding in found)
    assert all(
        "10_lake_and_queues.py" in finding.remedy or "\naws s3api put-bucket-" in finding.remedy
        for finding in found
        if words in finding.found
    )


@pytest.mark.parametrize("announced", [notification(""), notification("raw/", "logs/")])
def test_error_logs_that_are_announced_cost_messages(announced: dict[str, Any]) -> None:
    [found] = unwell(lake(notification=announced), main_queue())
    assert (found.level, found.found) == ("warning", "error logs are announced too, and ignored")


def test_a_lake_that_exists_already_is_announced_too() -> None:
    """Its templates' folders count as much as raw/."""
    layout = read_layout("dados/{store}/{day}/{endpoint}.json")
    both = lake(notification=notification("raw/", "dados/"))
    [announced, _] = check_announcing(both, main_queue(), BUCKET, "bucket", layout)
    assert announced.found == f"new objects under dados/, raw/ are announced on {MAIN_ARN}"
    raw = lake(notification=notification("raw/"))
    [left_out, _] = check_announcing(raw, main_queue(), BUCKET, "bucket", layout)
    assert "leave out dados/001/2024-01-31/getGuestChecks.json, dados/" in left_out.found
    assert left_out.remedy.startswith("announce dados/, raw/, without a suffix")


@pytest.mark.parametrize(
    "accepted",
    [
        statement(),
        statement(Principal="*"),
        statement(Principal={"AWS": "*"}, Action=["SQS:*"]),
        statement(Action="*", Resource="*"),
        statement(Resource="arn:aws:sqs:*:123456789012:*"),
        statement(Condition={"ArnLike": {"AWS:SourceArn": ["arn:aws:s3:*:*:other", "*:lake"]}}),
        statement(Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}),
        statement(Condition={}),
    ],
)
def test_a_policy_that_lets_s3_send_is_fine(accepted: dict[str, Any]) -> None:
    main = main_queue(Policy=json.dumps({"Statement": accepted}))
    assert [] == unwell(lake(), main)


@pytest.mark.parametrize(
    "policy",
    [
        "",
        json.dumps({"Statement": []}),
        json.dumps({"Statement": [statement(Principal={"Service": "sns.amazonaws.com"})]}),
        json.dumps({"Statement": [statement(Principal={"AWS": "arn:aws:iam::1:root"})]}),
        json.dumps({"Statement": [statement(Action="sqs:ReceiveMessage")]}),
        json.dumps({"Statement": [statement(Resource=f"{MAIN_ARN}-dlq")]}),
        json.dumps(
            {"Statement": [statement(Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::x"}})]}
        ),
        json.dumps({"Statement": [statement(), statement(Effect="Deny", Action="sqs:*")]}),
    ],
)
def test_a_policy_that_does_not_let_s3_send_is_a_problem(policy: str) -> None:
    [found] = unwell(lake(), main_queue(Policy=policy))
    assert ("problem", "queue policy") == (found.level, found.check)
    assert "sqs:SendMessage" in found.remedy or "Deny" in found.remedy


@pytest.mark.parametrize(
    ("announced", "service"),
    [
        ({"TopicConfigurations": [{"TopicArn": "arn:aws:sns:x"}]}, "sns.amazonaws.com"),
        ({"EventBridgeConfiguration": {}}, "events.amazonaws.com"),
    ],
)
def test_a_detour_is_a_warning_and_needs_a_permission_of_its_own(
    announced: dict[str, Any], service: str
) -> None:
    detour, policy = unwell(lake(notification=announced), main_queue())
    assert ("warning", "notification") == (detour.level, detour.check)
    assert service in policy.found
    allowed = json.dumps({"Statement": [statement(Principal={"Service": service}, Condition={})]})
    assert [detour] == unwell(lake(notification=announced), main_queue(Policy=allowed))


def test_a_bucket_without_notification_is_fine_when_the_producer_announces() -> None:
    assert [] == unwell(lake(notification={}), main_queue(), "publish")


def test_announcing_everything_twice_is_a_warning() -> None:
    [found] = unwell(lake(), main_queue(), "publish")
    assert ("warning", "unset EVENTS for the producer") == (found.level, found.remedy)


@pytest.mark.parametrize(
    ("found", "main"),
    [
        (Unknown("away", ""), main_queue()),
        (lake(), Unknown("away", "")),
        (lake(notification=Unknown("refused", "grant s3:GetBucketNotification")), main_queue()),
    ],
)
def test_what_could_not_be_asked_is_neither_fine_nor_a_problem(
    found: LakeFacts | Unknown, main: QueueFacts | Unknown
) -> None:
    assert [Level.UNKNOWN] == [finding.level for finding in unwell(found, main)]
