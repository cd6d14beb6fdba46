"""The main queue and its dead-letter queue, held together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from consumer.aws.sqs import SqsQueue, open_sqs
from consumer.settings import LakeSettings


@dataclass(frozen=True, slots=True)
class Queues:
    """The main queue and its dead-letter queue."""

    main: SqsQueue
    dead: SqsQueue


@asynccontextmanager
async def open_queues(settings: LakeSettings, connections: int = 10) -> AsyncIterator[Queues]:
    """Hold both queues while the block runs."""
    async with open_sqs(settings, connections) as client:
        yield Queues(SqsQueue(client, settings.queue_url), SqsQueue(client, settings.dlq_url))
