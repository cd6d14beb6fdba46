"""The queue on SQS: the only module that knows SQS's client."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiobotocore.session import get_session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import (
    ConnectionError as SdkConnectionError,
)

from producer.aws.clients import client_arguments
from producer.errors import (
    QueueClosed,
    QueueError,
    QueueRefused,
    QueueUnavailable,
    SettingsInvalid,
)
from producer.settings import Settings

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

_FIRST_WAIT_SECONDS = 0.2
# Amazon SQS API reference, "Common errors" and SendMessageBatch
_THROTTLED = frozenset(
    {"RequestThrottled", "OverLimit", "Throttling", "ThrottlingException", "KmsThrottled"}
)
_REFUSED = frozenset(
    {"BatchRequestTooLong", "InvalidMessageContents", "InvalidBatchEntryId", "TooManyEntries"}
)


@asynccontextmanager
async def open_queue(settings: Settings, *, concurrency: int) -> AsyncIterator["SqsQueue"]:
    """Open a client for QUEUE_URL for the block; connects on the first call.

    Raises:
        SettingsInvalid: QUEUE_URL is not set.
        QueueClosed: The SDK cannot build a client from its configuration.
    """
    if not settings.queue_url:
        raise SettingsInvalid("QUEUE_URL is not set; export it or add it to .env")
    try:
        client_context = get_session().create_client(
            "sqs", **client_arguments(settings, concurrency)
        )
        client = await client_context.__aenter__()
    except (BotoCoreError, ValueError) as error:
        raise QueueClosed(f"the AWS configuration is unusable: {error}") from error
    try:
        yield SqsQueue(client, settings.queue_url, settings.lake_max_attempts)
    finally:
        await client_context.__aexit__(None, None, None)


class SqsQueue:
    """One queue to send to."""

    def __init__(self, client: "SQSClient", url: str, max_attempts: int) -> None:
        self._client = client
        self._url = url
        self._max_attempts = max_attempts

    async def send(self, bodies: Sequence[str]) -> list[QueueError | None]:
        """Send up to ten messages; return an error or None for each.

        SQS reports failures entry by entry; transient ones are sent again with growing waits. The
        SDK retries calls that fail as a whole.
        """
        failures: list[QueueError | None] = [None] * len(bodies)
        left = list(range(len(bodies)))
        for attempt in range(self._max_attempts):
            if attempt:
                longest_seconds = _FIRST_WAIT_SECONDS * 2**attempt
                await asyncio.sleep(random.uniform(0.5, 1) * longest_seconds)  # noqa: S311 - jitter
            for place in left:
                failures[place] = None
            try:
                failures_now = await self._send_once(bodies, left)
            except (ClientError, BotoCoreError) as error:
                failures_now = dict.fromkeys(left, map_error(error))
                left = []
            for place, failure in failures_now.items():
                failures[place] = failure
            left = [place for place in left if _is_passing(failures[place])]
            if not left:
                break
        return failures

    async def _send_once(
        self, bodies: Sequence[str], places: Sequence[int]
    ) -> dict[int, QueueError]:
        answer = await self._client.send_message_batch(
            QueueUrl=self._url,
            Entries=[{"Id": str(place), "MessageBody": bodies[place]} for place in places],
        )
        return {
            int(failed["Id"]): (QueueRefused if failed["SenderFault"] else QueueUnavailable)(
                f"SQS answers {failed['Code']} for the message"
            )
            for failed in answer.get("Failed", ())
        }


def _is_passing(failure: QueueError | None) -> bool:
    return failure is not None and failure.is_transient


def map_error(error: ClientError | BotoCoreError) -> QueueError:
    """Return the error for one of the SDK's; the caller raises it `from` the original."""
    if isinstance(error, (HTTPClientError, SdkConnectionError)):
        return QueueUnavailable(f"SQS cannot be reached, check AWS_ENDPOINT_URL: {error}")
    if not isinstance(error, ClientError):
        return QueueClosed(f"SQS cannot be used: {error}")
    code = error.response.get("Error", {}).get("Code", "").rpartition(".")[2]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLED or status == 429 or status >= 500:
        return QueueUnavailable(f"SQS answers {code or status} after every attempt")
    if code in _REFUSED:
        return QueueRefused(f"SQS refuses the messages: {code}")
    return QueueClosed(
        f"SQS answers {code or status}; check QUEUE_URL and the permission sqs:SendMessage"
    )
