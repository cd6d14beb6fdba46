"""`consumer reconcile`: objects that the lake has and the ledger has not are announced again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

import typer
from psycopg import AsyncConnection

from consumer.aws.clients import soon
from consumer.aws.s3 import Lake, open_lake
from consumer.aws.sqs import BATCH_SIZE, Queue, open_queues
from consumer.load import statements
from consumer.load.database import open_session
from consumer.load.ledger import pruned_keys
from consumer.settings import ConsumerSettings
from runtime.terminal import (
    AsJson,
    DryRun,
    finish,
    print_json,
    printable,
    progress,
    settings_of,
    tell,
)
from schemas.envelopes import ObjectEvent, created_body
from schemas.layouts import OWN_LAYOUT, Layout


def reconcile(
    *,
    prefix: Annotated[
        str | None,
        typer.Option(help="Only keys with this prefix. Default: raw/ and what KEY_TEMPLATES adds."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Announce again the objects in the lake that have no ledger row.

    Objects whose messages still wait in the queue have none yet and are announced twice. That is
    harmless, but run it while the queue is empty if you can.
    """
    settings = settings_of(ConsumerSettings)
    keys: list[str] = []
    try:
        finish(_reconcile(settings, prefix, keys, dry_run=dry_run))
    finally:
        # Report what was done even if the rest failed.
        if as_json:
            print_json({"dry_run": dry_run, "keys": keys})
        else:
            done = f"{'would announce' if dry_run else 'announced'} {len(keys)} objects"
            typer.echo("\n".join([*map(printable, keys), done]))


async def _reconcile(
    settings: ConsumerSettings, prefix: str | None, keys: list[str], *, dry_run: bool
) -> None:
    """Reconcile; `keys` learns what was done, whatever happens."""
    async with (
        open_queues(settings) as queues,
        open_lake(settings, 1) as lake,
        open_session(settings) as session,
    ):
        depth = await soon(queues.main.depth(), f"asking about {settings.queue_url}")
        if depth.total:
            tell(f"the queue holds {depth.total} messages; their objects may be announced twice")
        await soon(lake.ping(), f"asking for bucket {settings.bucket_name}")
        layout = settings.layout
        prefixes = layout.prefixes if prefix is None else (prefix,)
        with progress("reconciling", None) as advance:
            for listed in prefixes:
                async with aclosing(find_forgotten(lake, session, listed, layout)) as pages:
                    async for page in pages:
                        if dry_run:
                            keys.extend(event.key for event in page)
                            continue
                        async for event in announce(page, queues.main):
                            keys.append(event.key)
                            advance(len(keys))


async def find_forgotten(
    lake: Lake, session: AsyncConnection[Any], prefix: str, layout: Layout = OWN_LAYOUT
) -> AsyncGenerator[list[ObjectEvent], None]:
    """Yield events for the documents under a prefix without a ledger row, page by page; reads only.

    Raises:
        ConsumerError: S3 could not be asked.
        psycopg.Error: PostgreSQL could not be asked.
    """
    async for page in lake.pages(prefix):
        documents = [event for event in page if layout.is_document(event.key)]
        if documents:
            asked = {"bucket": documents[0].bucket, "keys": [event.key for event in documents]}
            cursor = await session.execute(statements.fixed("find_ingested"), asked)
            known = set(await cursor.fetchall())
            lacking = [event for event in documents if (event.key, event.etag) not in known]
            read = [(event, layout.read(event.key)) for event in lacking]
            pruned = await pruned_keys(session, read)
            yield [event for event in lacking if event.key not in pruned]


async def announce(events: Sequence[ObjectEvent], queue: Queue) -> AsyncIterator[ObjectEvent]:
    """Send events to the queue, ten at a time, and yield each once it is there.

    Raises:
        ConsumerError: SQS could not take one; those that were yielded are announced.
    """
    for start in range(0, len(events), BATCH_SIZE):
        group = events[start : start + BATCH_SIZE]
        await asyncio.gather(*(queue.send(created_body(event), {}) for event in group))
        for event in group:
            yield event
