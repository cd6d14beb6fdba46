"""What the doctor says of queues, from facts alone."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from consumer.operate.doctor.findings import Finding, Level, Unknown
from consumer.operate.doctor.queues import QueueFacts, check_queues
from consumer.settings import ConsumerSettings
from tests.support.doctor_facts import DEAD_ARN, MAIN_ARN, dead_queue, main_queue, settings


def unwell(
    main: QueueFacts | Unknown, dead: QueueFacts | Unknown, told: ConsumerSettings | None = None
) -> list[Finding]:
    """Return what is not fine."""
    found = check_queues(main, dead, told or settings())
    return [finding for finding in found if finding.level is not Level.OK]


def test_queues_as_they_should_be_are_fine() -> None:
    assert [] == unwell(main_queue(), dead_queue())


REDRIVE_1 = json.dumps({"deadLetterTargetArn": DEAD_ARN, "maxReceiveCount": 2})
REDRIVE_ELSEWHERE = json.dumps({"deadLetterTargetArn": f"{DEAD_ARN}-old", "maxReceiveCount": 5})


@pytest.mark.parametrize(
    ("main", "dead", "level", "check", "words", "remedy"),
    [
        ({"RedrivePolicy": ""}, {}, "problem", "redrive", "no redrive policy", DEAD_ARN),
        ({"RedrivePolicy": REDRIVE_ELSEWHERE}, {}, "problem", "redrive", "-old", "DLQ_URL"),
        ({"RedrivePolicy": REDRIVE_1}, {}, "problem", "redrive", "maxReceiveCount is 2", ": 5"),
        (
            {},
            {"RedriveAllowPolicy": '{"redrivePermission": "denyAll"}'},
            "problem", "redrive", "allow policy", MAIN_ARN,
        ),
        (
            {},
            {"RedriveAllowPolicy": '{"redrivePermission": "byQueue", "sourceQueueArns": ["x"]}'},
            "problem", "redrive", "allow policy", MAIN_ARN,
        ),
        ({}, {"RedrivePolicy": REDRIVE_1}, "problem", "redrive", "of its own", "RedrivePolicy"),
        ({}, {"MessageRetentionPeriod": "345600"}, "problem", "retention", "4 d", "1209600"),
        ({}, {"MessageRetentionPeriod": "60"}, "problem", "retention", "60 s", "1209600"),
        (
            {"MessageRetentionPeriod": "1209600"},
            {},
            "problem", "retention", "14 d", "main --attributes '{\"MessageRetentionPeriod\": \"345600\"}'",
        ),
        ({"MessageRetentionPeriod": "3600"}, {}, "warning", "retention", "outage", "345600"),
        ({"VisibilityTimeout": "0"}, {}, "problem", "visibility timeout", "30 s are needed", "60"),
        ({"VisibilityTimeout": "29"}, {}, "problem", "visibility timeout", "30 s are needed", "60"),
        ({"VisibilityTimeout": "30"}, {}, "warning", "visibility timeout", "long polls", "60"),
        ({"VisibilityTimeout": "43200"}, {}, "warning", "visibility timeout", "killed", "60"),
        ({"FifoQueue": "true"}, {}, "problem", "queue", "FIFO", "standard"),
        ({"DelaySeconds": "9"}, {}, "warning", "queue", "9 s", "DelaySeconds"),
        ({"KmsMasterKeyId": "alias/aws/sqs"}, {}, "problem", "queue", "S3 may not", "SqsManaged"),
        ({"KmsMasterKeyId": "my-key"}, {}, "warning", "queue", "my-key", "kms:Decrypt"),
        ({}, {"MaximumMessageSize": "1024"}, "problem", "message size", "smaller", "262144"),
        (
            {"ReceiveMessageWaitTimeSeconds": "0"},
            {},
            "warning", "polling", "receive wait is 0", "20",
        ),
    ],
)  # fmt: skip
def test_each_misconfiguration_of_a_queue_is_named_with_its_remedy(
    main: Mapping[str, str],
    dead: Mapping[str, str],
    level: str,
    check: str,
    words: str,
    remedy: str,
) -> None:
    [found] = unwell(main_queue(**main), dead_queue(**dead))
    assert (level, check) == (found.level, found.check)
    assert words in found.found
    assert remedy in found.remedy


@pytest.mark.parametrize("who", ["main", "dead"])
def test_refused_actions_are_named_with_the_queue_they_are_needed_on(who: str) -> None:
    queues: dict[str, Any] = {"main": main_queue(), "dead": dead_queue()}
    queues[who] = replace(queues[who], denied=("sqs:SendMessage", "sqs:DeleteMessage"))
    [found] = unwell(**queues)
    arn = {"main": MAIN_ARN, "dead": DEAD_ARN}[who]
    assert (f"grant sqs:SendMessage, sqs:DeleteMessage on {arn} to the role") == found.remedy


def test_a_visibility_timeout_must_outlast_twice_the_wait_for_a_batch() -> None:
    patient = settings(batch_max_wait_milliseconds=45_000)
    [found] = unwell(main_queue(), dead_queue(), patient)
    assert "90 s are needed" in found.found


def test_what_a_queue_that_does_not_answer_hides_is_said() -> None:
    away = Unknown("it does not answer", "let the network through")
    found = unwell(away, dead_queue())
    assert ("problem", "it does not answer") == (found[0].level, found[0].found)
    assert {"unknown"} == {finding.level for finding in found[1:]}
    assert ["redrive", "retention", "visibility timeout"] == [one.check for one in found[1:]]
