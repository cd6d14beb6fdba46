"""The two queues: redrive, timeouts, retention, encryption, permissions.

Facts are from the SQS Developer Guide on dead-letter queues, visibility timeout and encryption.
"""

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from consumer.operate.doctor.aws import ABSENT, ASKING_ERRORS, NOT_GRANTED, open_impatient, refusal
from consumer.operate.doctor.findings import Finding, Unknown, fine, not_checked, problem, warning
from consumer.operate.doctor.roles import ALL
from consumer.settings import ConsumerSettings, LakeSettings
from runtime.aws_errors import error_code

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

_AS_OPERATOR = "run `consumer doctor --as operate` with an operator's credentials"
_NO_RECEIPT = "doctor"
_FEWEST_RECEIVES, _DEFAULT_RECEIVES = 3, 5
_SHORTEST_LEASE_SECONDS, _LONGEST_LEASE_SECONDS = 30, 3600
_DAY_SECONDS = 24 * 60 * 60
_LONGEST_RETENTION_SECONDS = 14 * _DAY_SECONDS
_SQS_OWN_KEY = "alias/aws/sqs"


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """A queue; `denied` names the actions that its policy or ours refuses.

    There are no attributes where the role has no need to look at them.
    """

    url: str
    attributes: Mapping[str, str]
    denied: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """The queue's ARN, or its URL where we did not look."""
        return self.attributes.get("QueueArn", self.url)

    def number(self, name: str) -> int:
        """Return a numeric attribute; 0 if SQS does not tell it."""
        return int(self.attributes.get(name, "0"))

    def policy(self, name: str) -> dict[str, Any]:
        """Return a policy among the attributes, which SQS keeps as JSON; empty if there is none."""
        return dict(json.loads(self.attributes.get(name) or "{}"))

    def setting(self, name: str, value: Any) -> str:
        """Return the command that sets an attribute; policies are written as JSON."""
        text = json.dumps(value) if isinstance(value, dict) else str(value)
        attributes = shlex.quote(json.dumps({name: text}))
        return f"aws sqs set-queue-attributes --queue-url {self.url} --attributes {attributes}"


async def probe_queue(
    settings: LakeSettings,
    url: str,
    variable: str,
    actions: Collection[str] = ALL.queue,
    *,
    looks: bool = True,
) -> QueueFacts | Unknown:
    """Learn which of our calls a queue refuses and, if we may look, its attributes.

    `variable` names its URL.
    """
    try:
        async with open_impatient("sqs", settings) as client:
            attributes: Mapping[str, str] = {}
            if looks:
                answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
                attributes = answer.get("Attributes", {})
            return QueueFacts(url, attributes, await _denied(client, url, actions))
    except ASKING_ERRORS as error:
        asked = "sqs:GetQueueAttributes" if looks else next(iter(actions))
        return refusal(error, asked, url, variable)


async def _denied(client: "SQSClient", url: str, actions: Collection[str]) -> tuple[str, ...]:
    """Try with one more than SQS hands out, no entries, and receipts that nobody gave."""
    receipt: Any = {"QueueUrl": url, "ReceiptHandle": _NO_RECEIPT}
    tries: dict[str, Callable[[], Awaitable[Any]]] = {
        "sqs:ReceiveMessage": lambda: client.receive_message(QueueUrl=url, MaxNumberOfMessages=11),
        "sqs:SendMessage": lambda: client.send_message_batch(QueueUrl=url, Entries=[]),
        "sqs:DeleteMessage": lambda: client.delete_message(**receipt),
        "sqs:ChangeMessageVisibility": lambda: client.change_message_visibility(
            **receipt, VisibilityTimeout=0
        ),
    }
    calls = (tries[action]() for action in actions)
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        # Where we do not look, this alone tells that the queue is not there or does not answer.
        is_said = isinstance(answer, ClientError) and error_code(answer) not in ABSENT
        if isinstance(answer, BaseException) and not is_said:
            raise answer
    return tuple(
        action
        for action, answer in zip(actions, answers, strict=True)
        if isinstance(answer, BaseException) and error_code(answer) in NOT_GRANTED
    )


def check_queues(
    main: QueueFacts | Unknown, dead: QueueFacts | Unknown, settings: ConsumerSettings
) -> Iterator[Finding]:
    """Check both queues and how they belong together."""
    for name, queue in (("queue", main), ("dead-letter queue", dead)):
        if isinstance(queue, Unknown):
            yield problem(name, queue.reason, queue.remedy)
        else:
            yield from _each(name, queue)
    if isinstance(main, Unknown) or isinstance(dead, Unknown):
        for check in ("redrive", "retention", "visibility timeout"):
            yield not_checked(check, "a queue could not be asked", "see above")
        return
    if not dead.attributes:
        for check in ("redrive", "retention"):
            yield not_checked(check, "a consumer needs no right to look at it", _AS_OPERATOR)
        yield _visibility(main, settings)
        return
    yield _redrive(main, dead)
    yield from _redrive_of_dead_letters(main, dead)
    yield _retention(main, dead)
    yield _visibility(main, settings)
    yield from _sizes(main, dead)


def _each(name: str, queue: QueueFacts) -> Iterator[Finding]:
    actions, key = ", ".join(queue.denied), queue.attributes.get("KmsMasterKeyId")
    if actions:
        refused = f"{queue.arn} refuses {actions}"
        yield problem(name, refused, f"grant {actions} on {queue.arn} to the role")
    else:
        yield fine(name, f"{queue.arn} answers and refuses nothing")
    if queue.attributes.get("FifoQueue") == "true":
        yield problem(name, "it is a FIFO queue: S3 cannot announce on it", "use a standard queue")
    if delay := queue.number("DelaySeconds"):
        found = f"every message is delayed by {delay} s"
        yield warning(name, found, queue.setting("DelaySeconds", 0))
    if key == _SQS_OWN_KEY and name == "queue":
        found = f"it is encrypted with {_SQS_OWN_KEY}, which S3 may not use: nothing is announced"
        remedy = f"{queue.setting('SqsManagedSseEnabled', 'true')} (or a key of your own)"
        yield problem(name, found, remedy)
    elif key:
        found = f"it is encrypted with {key}: whether S3 and the consumer may use it cannot be seen"
        remedy = "allow s3.amazonaws.com and the role kms:GenerateDataKey and kms:Decrypt with it"
        yield warning(name, found, remedy)


def _redrive(main: QueueFacts, dead: QueueFacts) -> Finding:
    policy = main.policy("RedrivePolicy")
    wanted = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": _DEFAULT_RECEIVES}
    remedy = main.setting("RedrivePolicy", wanted)
    target, count = policy.get("deadLetterTargetArn"), int(policy.get("maxReceiveCount", 0))
    if not target:
        found = "the queue has no redrive policy: a message that meets a bug comes back for ever"
    elif target != dead.arn:
        found = f"the queue's redrive policy leads to {target}, DLQ_URL to {dead.arn}"
        remedy += " (or correct DLQ_URL)"
    elif count < _FEWEST_RECEIVES:
        found = f"maxReceiveCount is {count}: deploys and crashes would dead-letter good messages"
    else:
        return fine("redrive", f"after {count} receives to the dead-letter queue")
    return problem("redrive", found, remedy)


def _redrive_of_dead_letters(main: QueueFacts, dead: QueueFacts) -> Iterator[Finding]:
    allowed = dead.policy("RedriveAllowPolicy")
    permission = allowed.get("redrivePermission", "allowAll")
    is_listed = main.arn in allowed.get("sourceQueueArns", ())
    if permission == "denyAll" or (permission == "byQueue" and not is_listed):
        found = "the dead-letter queue's redrive allow policy does not let the queue use it"
        wanted = {"redrivePermission": "byQueue", "sourceQueueArns": [main.arn]}
        yield problem("redrive", found, dead.setting("RedriveAllowPolicy", wanted))
    if dead.policy("RedrivePolicy"):
        found = "the dead-letter queue has a redrive policy of its own: to list it moves messages"
        yield problem("redrive", found, dead.setting("RedrivePolicy", ""))


def _retention(main: QueueFacts, dead: QueueFacts) -> Finding:
    check, name = "retention", "MessageRetentionPeriod"
    queue, dead_letters = main.number(name), dead.number(name)
    found = f"queue {_days(queue)}, dead-letter queue {_days(dead_letters)}"
    shorten = main.setting(name, 4 * _DAY_SECONDS)
    if dead_letters <= queue:
        found += ": a message keeps its first send time, so a late one would arrive expired"
        lengthen = dead.setting(name, _LONGEST_RETENTION_SECONDS)
        return problem(check, found, shorten if queue == _LONGEST_RETENTION_SECONDS else lengthen)
    if queue < _DAY_SECONDS:
        found += ": an outage of that length loses events"
        return warning(check, found, f"{shorten}; what was lost: `consumer reconcile`")
    return fine(check, found)


def _visibility(main: QueueFacts, settings: ConsumerSettings) -> Finding:
    """Half of it must outlast the wait for a batch's neighbours and a pause of 15 seconds."""
    check, name = "visibility timeout", "VisibilityTimeout"
    visibility, polls = main.number(name), 2 * settings.receive_wait_seconds
    needed = max(_SHORTEST_LEASE_SECONDS, round(2 * settings.batch_max_wait_milliseconds / 1000))
    if visibility < needed:
        found = f"{visibility} s, {needed} s are needed: leases would run out during a batch"
        return problem(check, found, main.setting(name, max(60, needed)))
    if visibility > _LONGEST_LEASE_SECONDS:
        found = f"{visibility} s: what a killed consumer held comes back only after that"
        return warning(check, found, main.setting(name, 60))
    if visibility < polls:
        found = f"{visibility} s: long polls are cut to half of it"
        return warning(check, found, main.setting(name, max(60, polls)))
    return fine(check, f"{visibility} s")


def _sizes(main: QueueFacts, dead: QueueFacts) -> Iterator[Finding]:
    size, wait = "MaximumMessageSize", "ReceiveMessageWaitTimeSeconds"
    if dead.number(size) < main.number(size):
        found = "the dead-letter queue takes smaller messages than the queue: large ones get stuck"
        yield problem("message size", found, dead.setting(size, main.number(size)))
    if main.number(wait) == 0:
        found = "the queue's own receive wait is 0: readers other than the consumer poll too often"
        yield warning("polling", found, main.setting(wait, 20))


def _days(seconds: int) -> str:
    return f"{seconds / _DAY_SECONDS:g} d" if seconds >= _DAY_SECONDS else f"{seconds} s"
