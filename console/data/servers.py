"""What the pages ask: PostgreSQL, the queues and the lake, none of which need be up."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from console.data.database import Database, open_database
from console.data.drift import DriftReport
from console.data.outage import Outage
from console.data.recent import Recent
from console.data.stories import Stories
from console.settings import ConsoleSettings
from consumer.aws.s3 import Lake, open_lake
from consumer.aws.sqs import Queues, open_queues

_TOTALS_SECONDS = 20.0
_CONNECTIONS = 8  # to each of S3 and SQS


class Source(StrEnum):
    """Who is asked, as pages name it."""

    DATABASE = "PostgreSQL"
    QUEUES = "SQS"
    LAKE = "S3"


@dataclass(frozen=True)
class Servers:
    """The servers behind the pages; `stopping` is set once the console is told to end."""

    settings: ConsoleSettings
    database: Database
    queues: Queues
    lake: Lake
    stories: Stories
    drift: DriftReport
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # What other sources stand at, beside the one that a calendar shows.
    totals: Recent = field(default_factory=partial(Recent, _TOTALS_SECONDS))
    # PostgreSQL has its own; documents are asked for too seldom to need one.
    outages: Mapping[Source, Outage] = field(default_factory=dict)


@asynccontextmanager
async def open_servers(settings: ConsoleSettings) -> AsyncIterator[Servers]:
    """Hold clients while the block runs; they connect when they are first asked.

    Raises:
        AwsUnusable: no client can be made from the AWS settings.
    """
    async with (
        open_database(settings) as database,
        open_queues(settings, _CONNECTIONS) as queues,
        open_lake(settings, _CONNECTIONS) as lake,
    ):
        stories, drift = Stories(settings), DriftReport(settings, database)
        outages = {Source.QUEUES: Outage(queues.dead.depth)}
        try:
            yield Servers(settings, database, queues, lake, stories, drift, outages=outages)
        finally:
            await drift.close()
            for outage in outages.values():
                await outage.close()
