"""Checks of the two queues: redrive, timeouts, retention, encryption, permissions. Pure.

Facts about SQS are Amazon's: the SQS Developer Guide on dead-letter queues, visibility timeout
and encryption.
"""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from consumer.operate.doctor.facts import QueueFacts, Unknown
from consumer.operate.doctor.findings import Finding, fine, not_checked, problem, warning
from consumer.settings import ConsumerSettings

_FEWEST_RECEIVES, _DEFAULT_RECEIVES = 3, 5
_SHORTEST_LEASE_SECONDS, _LONGEST_LEASE_SECONDS = 30, 3600
_DAY_SECONDS = 24 * 60 * 60
_LONGEST_RETENTION_SECONDS = 14 * _DAY_SECONDS
_SQS_OWN_KEY = "alias/aws/sqs"


def check_queues(
    main: QueueFacts | Unknown, dead: QueueFacts | Unknown, settings: ConsumerSettings
) -> Iterator[Finding]:
    """Check both queues and how they belong together."""
    for name, queue in (("queue", main), ("dead-letter queue", dead)):
        if isinstance(queue, Unknown):
            yield problem(name, queue.reason, queue.remedy)
        else:
            yield from _permissions(name, queue)
            yield from _kind(name, queue)
    if isinstance(main, Unknown) or isinstance(dead, Unknown):
        for check in ("redrive", "retention", "visibility timeout"):
            yield not_checked(check, "a queue could not be asked", "see above")
        return
    yield from _redrive(main, dead)
    yield _retention(main, dead)
    yield _visibility(main, settings)
    yield from _sizes(main, dead)


def _permissions(name: str, queue: QueueFacts) -> Iterator[Finding]:
    if queue.denied:
        actions = ", ".join(queue.denied)
        yield problem(
            name, f"{queue.arn} refuses {actions}", f"grant {actions} on {queue.arn} to the role"
        )
    else:
        yield fine(name, f"{queue.arn} answers and refuses nothing")


def _kind(name: str, queue: QueueFacts) -> Iterator[Finding]:
    key = queue.attributes.get("KmsMasterKeyId")
    if queue.attributes.get("FifoQueue") == "true":
        yield problem(
            name, "it is a FIFO queue, which S3 cannot announce on", "use a standard queue"
        )
    if queue.number("DelaySeconds"):
        yield warning(
            name,
            f"every message is delayed by {queue.attributes['DelaySeconds']} s",
            set_attribute(queue, "DelaySeconds", "0"),
        )
    if key == _SQS_OWN_KEY and name == "queue":
        yield problem(
            name,
            f"it is encrypted with {_SQS_OWN_KEY}, which S3 may not use: nothing is announced",
            f"{set_attribute(queue, 'SqsManagedSseEnabled', 'true')} (or a key of your own)",
        )
    elif key:
        yield warning(
            name,
            f"it is encrypted with {key}: whether S3 and the consumer may use it cannot be seen",
            "let s3.amazonaws.com and the role kms:GenerateDataKey and kms:Decrypt in its policy",
        )


def _redrive(main: QueueFacts, dead: QueueFacts) -> Iterator[Finding]:
    check = "redrive"
    policy = parsed(main.attributes.get("RedrivePolicy"))
    wanted = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": _DEFAULT_RECEIVES})
    remedy = set_attribute(main, "RedrivePolicy", wanted)
    target, count = policy.get("deadLetterTargetArn"), int(policy.get("maxReceiveCount", 0))
    if not target:
        found = "the queue has no redrive policy: a message that meets a bug comes back for ever"
        yield problem(check, found, remedy)
    elif target != dead.arn:
        found = f"the queue's redrive policy leads to {target}, DLQ_URL to {dead.arn}"
        yield problem(check, found, f"{remedy} (or correct DLQ_URL)")
    elif count < _FEWEST_RECEIVES:
        found = (
            f"maxReceiveCount is {count}: every receive counts, so deploys and crashes alone "
            "would dead-letter good messages"
        )
        yield problem(check, found, remedy)
    else:
        yield fine(check, f"after {count} receives to the dead-letter queue")
    yield from _redrive_of_dead_letters(main, dead)


def _redrive_of_dead_letters(main: QueueFacts, dead: QueueFacts) -> Iterator[Finding]:
    allowed = parsed(dead.attributes.get("RedriveAllowPolicy"))
    permission = allowed.get("redrivePermission", "allowAll")
    if permission == "denyAll" or (
        permission == "byQueue" and main.arn not in allowed.get("sourceQueueArns", ())
    ):
        wanted = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [main.arn]})
        yield problem(
            "redrive",
            "the dead-letter queue's redrive allow policy does not let the queue use it",
            set_attribute(dead, "RedriveAllowPolicy", wanted),
        )
    if parsed(dead.attributes.get("RedrivePolicy")):
        yield problem(
            "redrive",
            "the dead-letter queue has a redrive policy of its own: to list it moves messages",
            set_attribute(dead, "RedrivePolicy", ""),
        )


def _retention(main: QueueFacts, dead: QueueFacts) -> Finding:
    check, name = "retention", "MessageRetentionPeriod"
    queue, dead_letters = main.number(name), dead.number(name)
    found = f"queue {_days(queue)}, dead-letter queue {_days(dead_letters)}"
    if dead_letters <= queue:
        explained = "a message keeps its first send time, so a late one would arrive expired"
        remedy = set_attribute(dead, name, str(_LONGEST_RETENTION_SECONDS))
        if queue == _LONGEST_RETENTION_SECONDS:
            remedy = set_attribute(main, name, str(4 * _DAY_SECONDS))
        return problem(check, f"{found}: {explained}", remedy)
    if queue < _DAY_SECONDS:
        return warning(
            check,
            f"{found}: an outage of that length loses events",
            f"{set_attribute(main, name, str(4 * _DAY_SECONDS))}; what was lost: "
            "`consumer reconcile`",
        )
    return fine(check, found)


def _visibility(main: QueueFacts, settings: ConsumerSettings) -> Finding:
    """Compare with what a lease must outlast.

    Leases are extended at half of it, so that half must outlast the wait for a batch's neighbours
    and a pause of 15 seconds; it also bounds the long polls.
    """
    check, name = "visibility timeout", "VisibilityTimeout"
    visibility = main.number(name)
    batch_seconds = settings.batch_max_wait_milliseconds / 1000
    needed = max(_SHORTEST_LEASE_SECONDS, round(2 * batch_seconds))
    if visibility < needed:
        return problem(
            check,
            f"{visibility} s, {needed} s are needed: leases are extended at half of it, and one "
            "that runs out during a batch gives its message to another consumer",
            set_attribute(main, name, str(max(60, needed))),
        )
    if visibility > _LONGEST_LEASE_SECONDS:
        return warning(
            check,
            f"{visibility} s: what a killed consumer held comes back only after that",
            set_attribute(main, name, "60"),
        )
    if visibility < 2 * settings.receive_wait_seconds:
        return warning(
            check,
            f"{visibility} s: long polls are cut to half of it",
            set_attribute(main, name, str(max(60, 2 * settings.receive_wait_seconds))),
        )
    return fine(check, f"{visibility} s")


def _sizes(main: QueueFacts, dead: QueueFacts) -> Iterator[Finding]:
    name = "MaximumMessageSize"
    if dead.number(name) < main.number(name):
        yield problem(
            "message size",
            "the dead-letter queue takes smaller messages than the queue: large ones cannot be "
            "dead-lettered",
            set_attribute(dead, name, main.attributes[name]),
        )
    if main.number("ReceiveMessageWaitTimeSeconds") == 0:
        yield warning(
            "polling",
            "the queue's own receive wait is 0: the consumer asks for long polls, other readers "
            "pay for empty ones",
            set_attribute(main, "ReceiveMessageWaitTimeSeconds", "20"),
        )


def parsed(text: str | None) -> dict[str, Any]:
    """Return a policy as SQS writes it; empty if there is none."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def set_attribute(queue: QueueFacts, name: str, value: str) -> str:
    """Return the command that sets a queue's attribute."""
    attributes = shlex.quote(json.dumps({name: value}))
    return f"aws sqs set-queue-attributes --queue-url {queue.url} --attributes {attributes}"


def _days(seconds: int) -> str:
    return f"{seconds / _DAY_SECONDS:g} d" if seconds >= _DAY_SECONDS else f"{seconds} s"
