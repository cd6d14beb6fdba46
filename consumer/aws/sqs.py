"""The queues on SQS: only the calls the consumer needs, failures told entry by entry."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from consumer.aws.clients import asking, mapped
from consumer.errors import LeaseLost
from consumer.settings import LakeSettings
from runtime.aws_clients import open_client
from runtime.aws_errors import AWS_ERRORS, SQS_PREFIX, error_code

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import GetQueueAttributesResultTypeDef, MessageTypeDef

BATCH_SIZE = 10  # entries of one SQS batch call
MAX_ATTRIBUTES = 10  # of one message
# Attributes of a message that was dead-lettered before: ours on a replay, and that of a dead letter
# which somebody moved back by other means.
REPLAYED = "Replayed"
WAS_DEAD_LETTERED = frozenset({REPLAYED, "ErrorCode"})
# The id under which a message came first, kept by its dead letter, the replay of that, and so on.
ORIGINAL_ID = "OriginalMessageId"
# A copy of a message that had used up its receives for nothing; such ones take turns.
RENEWED = "Renewed"
# Answers to an expired receipt handle (SQS API Reference, ChangeMessageVisibility)
_LOST_CODES = frozenset({"InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"})


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One receipt of one message; `sent_at` is when it was first sent, kept by redrive policies."""

    message_id: str
    receipt_handle: str
    body: str
    receive_count: int
    received_at: datetime
    attributes: Mapping[str, str] = field(default_factory=dict)
    sent_at: datetime | None = None

    @property
    def original_id(self) -> str:
        """The message id under which it came first, before it was ever dead-lettered."""
        return self.attributes.get(ORIGINAL_ID) or self.message_id


@dataclass(frozen=True, slots=True)
class Depth:
    """Approximate number of messages by state."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All messages the queue holds."""
        return self.visible + self.in_flight + self.delayed


class Queue:
    """One queue; every call raises `Transient` when SQS cannot answer, throttles or refuses us."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    async def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int | None = None
    ) -> list[Delivery]:
        """Long-poll for at most `limit` (1 to 10) messages; empty when none came.

        A poll that is cancelled may have made messages invisible that nobody gets.

        Args:
            limit: How many at most.
            wait_seconds: How long an empty queue is waited for: 0 to 20.
            visibility_seconds: Instead of the queue's own visibility timeout.
        """
        visibility: dict[str, Any] = (
            {} if visibility_seconds is None else {"VisibilityTimeout": visibility_seconds}
        )
        with asking(f"receiving from {self._url}"):
            answer = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait_seconds,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
                MessageAttributeNames=["All"],
                **visibility,
            )
        now = datetime.now(UTC)
        return [_delivery(message, now) for message in answer.get("Messages", [])]

    async def delete(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Delete up to ten; return those that could not be. Safe to repeat.

        SQS tells no failure for an expired receipt handle, and deletes nothing (API Reference,
        DeleteMessage): only `Leases` knows whether a message was still ours.
        """
        with asking(f"deleting from {self._url}"):
            answer = await self._client.delete_message_batch(
                QueueUrl=self._url, Entries=_entries(deliveries)
            )
        return [deliveries[int(entry["Id"])] for entry in answer.get("Failed", [])]

    async def change_visibility(
        self, deliveries: Sequence[Delivery], seconds: int
    ) -> dict[Delivery, Exception]:
        """Set the visibility timeout of up to ten, from now on; return the failures.

        One is `LeaseLost` when the receipt handle has expired, also after the twelve hours that a
        message can be held in all (SQS Developer Guide, visibility timeout).

        Args:
            deliveries: The messages.
            seconds: 0, which makes them receivable at once, to 43,200.
        """
        try:
            answer = await self._client.change_message_visibility_batch(
                QueueUrl=self._url, Entries=_entries(deliveries, VisibilityTimeout=seconds)
            )
        except AWS_ERRORS as error:
            if error_code(error) in _LOST_CODES:
                return {delivery: LeaseLost(delivery.message_id) for delivery in deliveries}
            raise mapped(error, f"extending leases on {self._url}") from error
        failed: dict[Delivery, Exception] = {}
        for entry in answer.get("Failed", []):
            lost = entry["Code"].removeprefix(SQS_PREFIX) in _LOST_CODES
            kind = LeaseLost if lost else RuntimeError
            failed[deliveries[int(entry["Id"])]] = kind(entry["Code"])
        return failed

    async def send(self, body: str, attributes: Mapping[str, str]) -> str:
        """Send one message with text attributes, ten at most; return its id.

        After a `Transient` it may have been sent all the same.
        """
        with asking(f"sending to {self._url}"):
            answer = await self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                    if value
                },
            )
        return answer["MessageId"]

    async def depth(self) -> Depth:
        """Count the messages; SQS says that the numbers are approximate."""
        attributes = await self._attributes()
        return Depth(
            int(attributes.get("ApproximateNumberOfMessages", "0")),
            int(attributes.get("ApproximateNumberOfMessagesNotVisible", "0")),
            int(attributes.get("ApproximateNumberOfMessagesDelayed", "0")),
        )

    async def time(self) -> datetime:
        """Return the time by SQS's clock, in whole seconds, rounded down."""
        metadata = (await self._ask())["ResponseMetadata"]
        return parsedate_to_datetime(metadata["HTTPHeaders"]["date"])

    async def visibility_timeout_seconds(self) -> int:
        """Return the queue's own visibility timeout."""
        return int((await self._attributes())["VisibilityTimeout"])

    async def max_receives(self) -> int | None:
        """Return after how many receipts the redrive policy dead-letters a message, if ever."""
        try:
            policy = json.loads((await self._attributes()).get("RedrivePolicy", "{}"))
            return int(policy["maxReceiveCount"])
        except (ValueError, KeyError, TypeError):
            return None

    async def _attributes(self) -> Mapping[Any, str]:
        return (await self._ask()).get("Attributes", {})

    async def _ask(self) -> "GetQueueAttributesResultTypeDef":
        with asking(f"asking about {self._url}"):
            return await self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["All"]
            )


@dataclass(frozen=True, slots=True)
class Queues:
    """The main queue and its dead-letter queue."""

    main: Queue
    dead: Queue


@asynccontextmanager
async def open_queues(settings: LakeSettings, connections: int = 10) -> AsyncIterator[Queues]:
    """Hold both queues while the block runs; connects on first use."""
    async with open_client("sqs", settings, connections) as client:
        yield Queues(Queue(client, settings.queue_url), Queue(client, settings.dlq_url))


def _delivery(message: "MessageTypeDef", received_at: datetime) -> Delivery:
    system = message.get("Attributes", {})
    sent = system.get("SentTimestamp")
    own = message.get("MessageAttributes", {})
    return Delivery(
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        int(system.get("ApproximateReceiveCount", "1")),
        received_at,
        {name: value.get("StringValue", "") for name, value in own.items()},
        datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None,
    )


def _entries(deliveries: Sequence[Delivery], **more: int) -> list[Any]:
    """Return the entries of a batch call; an answer's ids are the places of its deliveries."""
    return [
        {"Id": str(place), "ReceiptHandle": delivery.receipt_handle, **more}
        for place, delivery in enumerate(deliveries)
    ]


async def in_batches(deliveries: Sequence[Delivery]) -> AsyncIterator[Sequence[Delivery]]:
    """Cut deliveries into runs that one batch call takes; lets others run in between."""
    for start in range(0, len(deliveries), BATCH_SIZE):
        yield deliveries[start : start + BATCH_SIZE]
        await asyncio.sleep(0)
