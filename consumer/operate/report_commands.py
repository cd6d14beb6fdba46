"""`consumer status`, `drift` and `reconcile`: tables for people, JSON for machines."""

import asyncio
from contextlib import aclosing
from typing import Annotated

import typer

from consumer.aws.clients import soon
from consumer.aws.queues import open_queues
from consumer.aws.s3 import open_lake
from consumer.aws.sqs import Depth
from consumer.drift.alias_file import ALIASES_DISAGREE, ALIASES_REMEDY
from consumer.errors import ConsumerError
from consumer.load.database import open_session
from consumer.operate import reconcile as reconciling
from consumer.operate import reports
from consumer.operate.reports import Row, Status
from consumer.settings import ConsumerSettings, DatabaseSettings
from runtime.terminal import (
    fail,
    finish,
    print_json,
    print_table,
    printable,
    progress,
    settings_of,
    tell,
)
from schemas.keys import RAW_PREFIX

_NAMED_STORES = 5

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def drift(*, as_json: AsJson = False) -> None:
    """Show unknown, missing, renamed and retyped fields: since when, in which objects."""
    settings = settings_of(DatabaseSettings)
    rows = finish(asyncio.to_thread(reports.read_drift, settings))
    if as_json:
        print_json([reports.plain(row) for row in rows])
        return
    columns = ("source", "path", "kind", "detail", "occurrences", "objects", "first_seen")
    for row in rows:
        row["stores"] = _shortened(row["stores"] or [])
    _print(rows, (*columns, "since", "stores", "last_object_key"), "no drift")


def status(*, as_json: AsJson = False) -> None:
    """Show queue depths, ledger counts by state, lag and the last error.

    Exits 1 if the queues or the database do not answer; shows the rest.
    """
    found = finish(_status(settings_of(ConsumerSettings)))
    if as_json:
        print_json(found.as_json())
    else:
        _print_status(found)
    if found.errors:
        fail("\n".join(found.errors))


def reconcile(
    *,
    prefix: Annotated[str, typer.Option(help="Only keys with this prefix.")] = RAW_PREFIX,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, without doing it.")
    ] = False,
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
        _print_reconciled(keys, dry_run=dry_run, as_json=as_json)


async def _reconcile(
    settings: ConsumerSettings, prefix: str, keys: list[str], *, dry_run: bool
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
        with progress("reconciling", None) as advance:
            async with aclosing(reconciling.find_forgotten(lake, session, prefix)) as pages:
                async for page in pages:
                    if dry_run:
                        keys.extend(event.key for event in page)
                        continue
                    async for event in reconciling.announce(page, queues.main):
                        keys.append(event.key)
                        advance(len(keys))


async def _status(settings: ConsumerSettings) -> Status:
    depths, ledger = await asyncio.gather(
        _depths(settings),
        asyncio.to_thread(reports.read_ledger, settings),
        return_exceptions=True,
    )
    errors = []
    for answer in (depths, ledger):
        if isinstance(answer, ConsumerError):
            errors.append(str(answer))
        elif isinstance(answer, BaseException):
            raise answer
    main, dead = (None, None) if isinstance(depths, BaseException) else depths
    unknown = (None, None, None)
    objects, summary, alias_files = unknown if isinstance(ledger, BaseException) else ledger
    return Status(main, dead, objects, summary, alias_files, tuple(errors))


async def _depths(settings: ConsumerSettings) -> tuple[Depth, Depth]:
    async with open_queues(settings) as queues:
        return (
            await soon(queues.main.depth(), f"asking about {settings.queue_url}"),
            await soon(queues.dead.depth(), f"asking about {settings.dlq_url}"),
        )


def _print_status(found: Status) -> None:
    for name, depth in (("queue", found.queue), ("dead-letter queue", found.dlq)):
        if depth is not None:
            typer.echo(
                f"{name}: {depth.visible} visible, {depth.in_flight} in flight, "
                f"{depth.delayed} delayed"
            )
    if found.objects is None or found.summary is None:
        return
    _print(
        found.objects, ("source", "state", "error_code", "objects"), "nothing has been ingested yet"
    )
    summary = reports.plain(found.summary)
    if summary["last_commit"] is not None:
        typer.echo(f"last commit: {summary['last_commit']}")
    if summary["median_lag_seconds"] is not None:
        typer.echo(f"median lag of the last hour: {summary['median_lag_seconds']:.1f} s")
    if summary["error_code"] is not None:
        told = (
            f"last error: {summary['error_code']} in {summary['object_key']} at "
            f"{summary['failed_at']}: {summary['error_message']} (log: {summary['error_log_key']})"
        )
        typer.echo(printable(told))
    if len(found.alias_files or ()) > 1:
        tell(f"{ALIASES_DISAGREE}; {ALIASES_REMEDY}")


def _print_reconciled(keys: list[str], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": dry_run, "keys": keys})
        return
    for key in keys:
        typer.echo(printable(key))
    typer.echo(f"{'would announce' if dry_run else 'announced'} {len(keys)} objects")


def _shortened(stores: list[str]) -> str:
    if len(stores) <= _NAMED_STORES:
        return ", ".join(stores)
    return f"{len(stores)}: {', '.join(stores[:_NAMED_STORES])}, …"


def _print(rows: list[Row], columns: tuple[str, ...], empty: str) -> None:
    if not rows:
        typer.echo(empty)
        return
    headings = [name.replace("_", " ") for name in columns]
    print_table(headings, ([row[name] for name in columns] for row in rows))
