"""`consumer status`, `drift` and `reconcile`: tables for people, JSON for machines."""

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from consumer import reconcile as reconciling
from consumer import reports
from consumer.app import open_queues
from consumer.postgres import open_pool
from consumer.reports import Row, Status
from consumer.s3 import open_lake
from consumer.settings import ConsumerSettings, DatabaseSettings
from consumer.terminal import finish, settings_of
from schemas.keys import RAW_PREFIX

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def drift(*, as_json: AsJson = False) -> None:
    """Show unknown, missing, renamed and retyped fields: since when, in which objects."""
    settings = settings_of(DatabaseSettings)
    rows = finish(asyncio.to_thread(reports.read_drift, settings))
    if as_json:
        typer.echo(json.dumps([reports.plain(row) for row in rows], ensure_ascii=False))
        return
    columns = ("source", "path", "kind", "detail", "occurrences", "objects", "first_seen")
    _print(rows, (*columns, "last_object_key"), "no drift was seen")


def status(*, as_json: AsJson = False) -> None:
    """Show queue depths, ledger counts by state, lag and the last error."""
    found = finish(_status(settings_of(ConsumerSettings)))
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    for name, depth in (("queue", found.queue), ("dead-letter queue", found.dlq)):
        typer.echo(f"{name}: {depth.visible} visible, {depth.in_flight} in flight")
    _print(found.objects, ("source", "state", "error_code", "objects"), "nothing was ingested yet")
    summary = reports.plain(found.summary)
    if summary["median_lag_seconds"] is not None:
        typer.echo(f"median lag of the last hour: {summary['median_lag_seconds']:.1f} s")
    if summary["error_code"] is not None:
        typer.echo(
            f"last error: {summary['error_code']} in {summary['object_key']} at "
            f"{summary['failed_at']}: {summary['error_message']} (log: {summary['error_log_key']})"
        )


def reconcile(
    *,
    prefix: Annotated[str, typer.Option(help="Only objects under this prefix.")] = RAW_PREFIX,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List them; send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Announce objects of the lake that have no ledger row to the queue once more."""
    settings = settings_of(ConsumerSettings)
    keys = finish(_reconcile(settings, prefix, dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "keys": keys}, ensure_ascii=False))
        return
    for key in keys:
        typer.echo(key)
    typer.echo(f"{'would announce' if dry_run else 'announced'} {len(keys)} objects")


async def _reconcile(settings: ConsumerSettings, prefix: str, *, dry_run: bool) -> list[str]:
    async with (
        open_queues(settings) as queues,
        open_lake(settings, 1) as lake,
        open_pool(settings, 1) as pool,
    ):
        events = reconciling.find_forgotten(lake, pool, prefix)
        if not dry_run:
            events = reconciling.announce(events, queues.main)
        return [event.key async for event in events]


async def _status(settings: ConsumerSettings) -> Status:
    async with open_queues(settings) as queues:
        main, dead = await queues.main.depth(), await queues.dead.depth()
    objects, summary = await asyncio.to_thread(reports.read_ledger, settings)
    return Status(main, dead, objects, summary)


def _print(rows: list[Row], columns: tuple[str, ...], empty: str) -> None:
    if not rows:
        typer.echo(empty)
        return
    table = Table()
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    Console().print(table)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
