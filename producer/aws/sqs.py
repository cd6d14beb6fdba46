"""The queue on SQS: the only module that knows SQS's client."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from producer.aws.errors import queue_error
from producer.errors import QueueError, QueueRefused, QueueUnavailable
from producer.settings import Settings
from runtime.aws_clients import open_client
from runtime.aws_errors import AWS_ERRORS
from runtime.errors import SettingsInvalid

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

_FIRST_WAIT_SECONDS = 0.2


@asynccontextmanager
async def open_queue(settings: Settings, *, concurrency: int) -> AsyncIterator["SqsQueue"]:
    """Open a client for the block; raises SettingsInvalid if QUEUE_URL is not set."""
    if not settings.queue_url:
        raise SettingsInvalid("QUEUE_URL is not set; export it or add it to .env")
    limits = settings.lake_timeout_seconds, settings.lake_max_attempts
    async with open_client("sqs", settings, concurrency, *limits) as client:
        yield SqsQueue(client, settings.queue_url, settings.lake_max_attempts)


class SqsQueue:
    """One queue to send to."""

    def __init__(self, client: "SQSClient", url: str, max_attempts: int) -> None:
        self._client = client
        self._url = url
        self._max_attempts = max_attempts

    async def send(self, bodies: Sequence[str]) -> list[QueueError | None]:
        """Send up to ten messages, transient failures again; the SDK retries whole calls.

        Returns an error or None for each, in their order. What failed may have been sent all the
        same, and a message may be sent twice: the consumer loads an object as if once.
        """
        failures: list[QueueError | None] = [None] * len(bodies)
        left = list(range(len(bodies)))
        for attempt in range(self._max_attempts):
            if attempt:
                longest_seconds = _FIRST_WAIT_SECONDS * 2**attempt
                await asyncio.sleep(random.uniform(0.5, 1) * longest_seconds)  # noqa: S311 - jitter
            try:
                refused = await self._send_once(bodies, left)
            except AWS_ERRORS as error:
                for place in left:
                    failures[place] = queue_error(error)
                break
            for place in left:
                failures[place] = refused.get(place)
            left = [place for place, failure in refused.items() if failure.is_transient]
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
