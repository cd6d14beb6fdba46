"""The queues on SQS: only the calls the consumer needs, failures told entry by entry."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

from consumer.aws.clients import mapped
from consumer.errors import LeaseLost
from consumer.settings import LakeSettings
from runtime.aws_clients import open_client
from runtime.aws_errors import AWS_ERRORS, SQS_PREFIX, error_code

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import GetQueueAttributesResultTypeDef

BATCH_SIZE = 10  # entries of one SQS batch call
# Attributes of a message that was dead-lettered before: ours on a replay, and that of a dead letter
# which somebody moved back by other means.
REPLAYED = "Replayed"
WAS_DEAD_LETTERED = frozenset({REPLAYED, "ErrorCode"})
# The id under which a message came first, kept by its dead letter, the replay of that, and so on.
ORIGINAL_ID = "OriginalMessageId"
# Answers to an expired receipt handle (SQS API Reference, ChangeMessageVisibility)
_LOST_CODES = frozenset(
    {
        "InvalidParameterValue",
        "MessageNotInflight",
        "ReceiptHandleIsInvalid",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One receipt of one message; the next receipt has another receipt handle.

    `sent_at` is when the message was first sent: the redrive policy keeps it.
    """

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


class Queue(Protocol):
    """What the consumer needs of a queue."""

    async def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int | None = None
    ) -> list[Delivery]:
        """Long-poll for at most `limit` (1 to 10) messages; empty when none came."""

    async def delete(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Delete up to ten; return those that could not be."""

    async def change_visibility(
        self, deliveries: Sequence[Delivery], seconds: int
    ) -> dict[Delivery, Exception]:
        """Set the remaining visibility timeout of up to ten; return the failures."""

    async def send(self, body: str, attributes: Mapping[str, str]) -> None:
        """Send one message with text attributes."""

    async def depth(self) -> Depth:
        """Count the messages."""

    async def time(self) -> datetime:
        """Return the time by the clock that dates messages, in whole seconds, rounded down."""


@asynccontextmanager
async def open_sqs(settings: LakeSettings, connections: int) -> AsyncIterator["SQSClient"]:
    """Hold a client for SQS while the block runs; connects on first use."""
    async with open_client("sqs", settings, connections) as client:
        yield client


class SqsQueue:
    """One queue.

    Every call raises `Transient` when SQS cannot answer, throttles or refuses us.
    """

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    async def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int | None = None
    ) -> list[Delivery]:
        """Long-poll for at most `limit` (1 to 10) messages; empty when none came."""
        visibility: dict[str, Any] = (
            {} if visibility_seconds is None else {"VisibilityTimeout": visibility_seconds}
        )
        try:
            answer = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait_seconds,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
                MessageAttributeNames=["All"],
                **visibility,
            )
        except AWS_ERRORS as error:
            raise mapped(error, f"receiving from {self._url}") from error
        now = datetime.now(UTC)
        return [
            Delivery(
                message["MessageId"],
                message["ReceiptHandle"],
                message["Body"],
                int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
                now,
                {
                    name: value.get("StringValue", "")
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                _sent_at(message.get("Attributes", {})),
            )
            for message in answer.get("Messages", [])
        ]

    async def delete(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Delete up to ten; return those that could not be."""
        try:
            answer = await self._client.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": delivery.receipt_handle}
                    for number, delivery in enumerate(deliveries)
                ],
            )
        except AWS_ERRORS as error:
            raise mapped(error, f"deleting from {self._url}") from error
        return [deliveries[int(entry["Id"])] for entry in answer.get("Failed", [])]

    async def change_visibility(
        self, deliveries: Sequence[Delivery], seconds: int
    ) -> dict[Delivery, Exception]:
        """Set the remaining visibility timeout of up to ten; return the failures.

        A failure is `LeaseLost` when the receipt handle has expired.
        """
        try:
            answer = await self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {
                        "Id": str(number),
                        "ReceiptHandle": delivery.receipt_handle,
                        "VisibilityTimeout": seconds,
                    }
                    for number, delivery in enumerate(deliveries)
                ],
            )
        except AWS_ERRORS as error:
            if error_code(error) in _LOST_CODES:
                return {delivery: LeaseLost(delivery.message_id) for delivery in deliveries}
            raise mapped(error, f"extending leases on {self._url}") from error
        failed: dict[Delivery, Exception] = {}
        for entry in answer.get("Failed", []):
            delivery = deliveries[int(entry["Id"])]
            lost = entry["Code"].removeprefix(SQS_PREFIX) in _LOST_CODES
            failed[delivery] = (
                LeaseLost(delivery.message_id) if lost else RuntimeError(entry["Code"])
            )
        return failed

    async def send(self, body: str, attributes: Mapping[str, str]) -> None:
        """Send one message with text attributes; empty ones are left out."""
        try:
            await self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                    if value
                },
            )
        except AWS_ERRORS as error:
            raise mapped(error, f"sending to {self._url}") from error

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

    async def _attributes(self) -> Mapping[str, str]:
        answer = await self._ask()
        return {str(name): value for name, value in answer.get("Attributes", {}).items()}

    async def _ask(self) -> "GetQueueAttributesResultTypeDef":
        try:
            return await self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["All"]
            )
        except AWS_ERRORS as error:
            raise mapped(error, f"asking about {self._url}") from error


def _sent_at(attributes: Mapping[Any, str]) -> datetime | None:
    milliseconds = attributes.get("SentTimestamp", "")
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None


async def in_batches(
    deliveries: Sequence[Delivery],
) -> AsyncIterator[Sequence[Delivery]]:
    """Cut deliveries into runs that one batch call takes; lets others run in between."""
    for start in range(0, len(deliveries), BATCH_SIZE):
        yield deliveries[start : start + BATCH_SIZE]
        await asyncio.sleep(0)
