"""The command line of `lakehouse`.

Exit codes: 0 done; 1 it could not be done, or `verify` found a difference; 2 an argument or a
setting is unusable; 130 interrupted.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from lakehouse import app as application
from lakehouse.feed import Selection
from lakehouse.settings import LakehouseSettings
from lakehouse.watch import Watch
from runtime import terminal
from runtime.durations import seconds_of
from runtime.errors import EXIT_FAILED, EXIT_USAGE
from runtime.logs import configure_logs
from runtime.program import program
from runtime.terminal import AsJson, DryRun

cli = program("lakehouse", "Copy the tables to Apache Iceberg tables in processed/.")

FirstDay = Annotated[
    datetime | None,
    typer.Option(
        "--from", formats=["%Y-%m-%d"], metavar="DAY", help="Only business days since this one."
    ),
]
LastDay = Annotated[
    datetime | None,
    typer.Option(
        "--to", formats=["%Y-%m-%d"], metavar="DAY", help="Only business days until this one."
    ),
]


@cli.command()
def init() -> None:
    """Make the Iceberg tables, and have PostgreSQL note what changes. Safe to repeat.

    Queues all days for the first export. Waits for loads under way, for a moment.
    """
    settings = _settings()
    with terminal.reported_errors():
        was_made = application.init(settings)
    told = "changes are noted from now on; all days are queued: run `lakehouse export`"
    typer.echo(told if was_made else "nothing to do: changes are noted already")


@cli.command()
def export(
    *,
    again: Annotated[
        bool, typer.Option("--all", help="Every day again, not only what changed.")
    ] = False,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    as_json: AsJson = False,
) -> None:
    """Export the business days that changed since they were last exported."""
    settings = _settings()
    selection = _selection(first_day, last_day)
    with terminal.reported_errors(), _watched() as watch:
        done = application.export(settings, selection, watch, again=again)
    _tell(done, as_json=as_json)


@cli.command()
def verify(
    *, first_day: FirstDay = None, last_day: LastDay = None, as_json: AsJson = False
) -> None:
    """Compare counts and sums of every table and day with PostgreSQL's.

    Queued days are left out. Exits 1 on a difference.
    """
    settings = _settings()
    selection = _selection(first_day, last_day)
    with terminal.reported_errors(), terminal.progress("tables", None) as advance:
        verdict = application.verify(settings, selection, advance)
    if as_json:
        terminal.print_json(verdict | {"ok": not verdict["differences"] and not verdict["behind"]})
    else:
        _print_verdict(verdict)
    if verdict["differences"] or verdict["behind"]:
        raise typer.Exit(EXIT_FAILED)


@cli.command()
def run(
    *,
    every: Annotated[
        str, typer.Option(metavar="DURATION", help="Export this often: 90s, 15m, 1h30m.")
    ],
) -> None:
    """Export what changed, round after round, until SIGTERM or SIGINT."""
    settings = _settings()
    configure_logs(settings.log_level, settings.log_format)
    with terminal.reported_errors():
        asyncio.run(application.run(settings, seconds_of(every)))


@cli.command()
def status(*, as_json: AsJson = False) -> None:
    """Show what is queued, what was published last, and how large the tables are."""
    settings = _settings()
    with terminal.reported_errors():
        told = application.status(settings)
    if as_json:
        terminal.print_json(told)
        return
    if not told["noted"]:
        typer.echo("changes are not noted, or not all of them: run `lakehouse init`")
    latest = told["latest"]
    if latest is None:
        typer.echo("nothing was exported yet")
    else:
        more = "" if latest["complete"] else ", with more days queued"
        typer.echo(
            f"export {latest['export_id']}: PostgreSQL as of {latest['snapshot_time']}{more}"
        )
    queued = [list(entry.values()) for entry in told["queued"]]
    terminal.print_table(("topic", "queued days", "since"), queued)
    tables = [
        [entry["table"], entry["rows"], entry["files"], f"{entry['bytes'] / 1e6:.1f}"]
        for entry in told["tables"]
    ]
    terminal.print_table(("table", "rows", "files", "MB"), tables)


@cli.command()
def clean(*, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Delete old snapshots, and files that no retained snapshot and no `latest.json` names."""
    settings = _settings()
    with terminal.reported_errors():
        cleaned = application.clean(settings, dry_run=dry_run)
    if as_json:
        terminal.print_json(cleaned)
        return
    if dry_run:
        for key in cleaned["keys"]:
            typer.echo(key)
    verb = "would delete" if dry_run else "deleted"
    typer.echo(
        f"{verb} {cleaned['snapshots']} snapshots, {cleaned['objects']} objects of "
        f"{cleaned['bytes'] / 1e6:.1f} MB and {cleaned['uploads']} unfinished uploads"
    )


@cli.command()
def disable() -> None:
    """Have PostgreSQL note no changes any more. Keeps the Iceberg tables as they are."""
    settings = _settings()
    with terminal.reported_errors():
        was_there = application.disable(settings)
    told = "changes are not noted any more; the Iceberg tables stay as they are"
    typer.echo(told if was_there else "nothing to do: changes are not noted")


def _settings() -> LakehouseSettings:
    if find_spec("pyiceberg") is None:
        terminal.fail(
            "Arrow and pyiceberg are not installed here: pip install 'coco-ingest[lakehouse]', or "
            "build the image with LOCK=requirements/lakehouse.lock",
            EXIT_USAGE,
        )
    return terminal.settings_of(LakehouseSettings)


@contextmanager
def _watched() -> Iterator[Watch]:
    """Show a batch's progress, and let a signal stop it between two files."""
    with terminal.progress("files", None) as advance:
        yield Watch(advance)


def _selection(first: datetime | None, last: datetime | None) -> Selection:
    chosen = Selection(_day(first), _day(last))
    if chosen.first and chosen.last and chosen.first > chosen.last:
        terminal.fail(f"--from {chosen.first} is after --to {chosen.last}", EXIT_USAGE)
    return chosen


def _day(time: datetime | None) -> date | None:
    return time.date() if time else None


def _tell(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(done)
    elif not done["batches"]:
        typer.echo("nothing to do: nothing changed since the last export")
    else:
        more = "" if done["complete"] else "; more days are queued"
        typer.echo(
            f"export {done['export_id']}: {done['rows']} rows of {done['days']} days in "
            f"{done['files']} files, {done['bytes'] / 1e6:.1f} MB{more}"
        )


def _print_verdict(verdict: dict[str, Any]) -> None:
    if verdict["differences"]:
        columns = ("table", "day", "what", "postgres", "iceberg")
        rows = [[found[name] for name in columns] for found in verdict["differences"]]
        terminal.print_table(columns, rows)
    for name in verdict["behind"]:
        typer.echo(f"latest.json does not name the newest state of {name}: run `lakehouse export`")
    queued = f"; {verdict['queued']} queued days were not compared" if verdict["queued"] else ""
    ending = "" if not verdict["differences"] else f", {len(verdict['differences'])} differences"
    typer.echo(f"{verdict['rows']} rows of {verdict['days']} days compared{ending}{queued}")
