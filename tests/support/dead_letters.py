"""Dead-letter queues filled with dead letters of many kinds, and what lies in a queue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.envelopes import ObjectEvent, created_body
from tests.conftest import Lake

FIRST_FAILURE = datetime(2024, 6, 1, tzinfo=UTC)
CODES = ("json_malformed", "schema_invalid", "records_invalid", None)
PREFIXES = ("raw/erp/", "raw/api_responses/getTransactions/")


@dataclass(frozen=True)
class SentDeadLetter:
    """A message to dead-letter; one without a code looks as if the redrive policy had moved it."""

    number: int
    bucket: str

    @property
    def code(self) -> str | None:
        return CODES[self.number % len(CODES)]

    @property
    def key(self) -> str:
        return f"{PREFIXES[self.number // len(CODES) % len(PREFIXES)]}ü {self.number}+%.json"

    @property
    def failed_at(self) -> datetime:
        """Ten different hours."""
        return FIRST_FAILURE + timedelta(hours=self.number % 10)

    @property
    def body(self) -> str:
        # With spaces that no decoder would write again.
        event = ObjectEvent(
            self.bucket,
            self.key,
            "ObjectCreated:Put",
            etag=str(self.number),
            event_time=FIRST_FAILURE,
        )
        return created_body(event).replace('"Records"', ' "Records" ')

    @property
    def attributes(self) -> dict[str, Any]:
        if self.code is None:
            return {}
        values = {
            "ErrorCode": self.code,
            "ErrorMessage": "broken",
            "ErrorLogKey": f"logs/errors/erp/{self.number}.json",
            "ObjectKey": self.key,
            "FailedAt": self.failed_at.isoformat(),
            "Attempts": "1",
        }
        return {name: {"DataType": "String", "StringValue": text} for name, text in values.items()}


def send_dead_letters(lake: Lake, count: int) -> list[SentDeadLetter]:
    """Put dead letters into the dead-letter queue; return them."""
    dead_letters = [SentDeadLetter(number, lake.bucket) for number in range(count)]
    for group in (dead_letters[at : at + 10] for at in range(0, count, 10)):
        entries = [
            {"Id": str(at), "MessageBody": one.body, "MessageAttributes": one.attributes}
            for at, one in enumerate(group)
        ]
        answer = lake.sqs.send_message_batch(QueueUrl=lake.dlq_url, Entries=entries)  # type: ignore[arg-type]  # plain dictionaries
        assert len(entries) == len(answer["Successful"])
    return dead_letters


def bodies(dead_letters: Iterable[SentDeadLetter]) -> list[str]:
    return sorted(dead_letter.body for dead_letter in dead_letters)


def received(lake: Lake, url: str) -> list[str]:
    """Receive all that is visible right now, and return the bodies, sorted."""
    found: list[str] = []
    while messages := _receive(lake, url):
        found.extend(message["Body"] for message in messages)
    return sorted(found)


def _receive(lake: Lake, url: str) -> Sequence[Any]:
    answer = lake.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, VisibilityTimeout=600
    )
    return answer.get("Messages", [])


def counts(lake: Lake, url: str) -> tuple[int, int]:
    """Return how many messages are visible, and how many somebody holds."""
    answer = lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return (
        int(answer["ApproximateNumberOfMessages"]),
        int(answer["ApproximateNumberOfMessagesNotVisible"]),
    )
