"""The consumer's command line.

Exit codes: 0 done; 1 it could not be done; 2 an argument or setting is unusable; 130 interrupted.
"""

import asyncio
import sys
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from consumer import app as application
from consumer.load.migrations.steps import schema_head
from consumer.operate import explain as explaining
from consumer.operate.dlq.commands import dlq
from consumer.operate.doctor.command import doctor
from consumer.operate.drift_report import drift
from consumer.operate.history.command import history
from consumer.operate.prune import prune
from consumer.operate.rebuild import rebuild
from consumer.operate.reconcile import reconcile
from consumer.operate.reports import status
from consumer.operate.validate import validate
from consumer.operate.verify.command import verify
from consumer.settings import ConsumerSettings, DatabaseSettings, RoutingSettings
from consumer.supervision.progress import Counts
from runtime import terminal
from runtime.logs import configure_logs

cli = terminal.program("consumer", "Load new objects of the data lake into PostgreSQL.")
cli.add_typer(dlq, name="dlq")
cli.add_typer(drift, name="drift")
cli.command()(status)
cli.command()(reconcile)
cli.command()(prune)
cli.command()(doctor)
cli.command()(validate)
cli.command()(verify)
cli.command()(history)
cli.command()(rebuild)


@cli.command()
def migrate(
    grant_read: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE",
            help="Also let this role read all tables and views, those of later releases too.",
        ),
    ] = None,
) -> None:
    """Create or upgrade the tables. Safe to repeat and to run concurrently."""
    from consumer.load.migrations import grants  # noqa: PLC0415 - Alembic costs a second
    from consumer.load.migrations import migrate as migrating  # noqa: PLC0415 - as above

    settings = terminal.settings_of(DatabaseSettings)
    with terminal.reported_errors():
        before, after = migrating.migrate(settings)
    if after > (newest := schema_head()):
        typer.echo(
            f"schema {after}, newer than this release ({newest}), works with it: nothing to do"
        )
    elif before == after:
        typer.echo(f"schema {after}: nothing to do")
    else:
        typer.echo(f"schema {before or 'empty'} -> {after}")
    if grant_read is not None:
        with terminal.reported_errors():
            count = grants.grant_read(settings, grant_read)
        typer.echo(
            terminal.printable(
                f"{grant_read} may read {count} tables and views, and those of later releases"
            )
        )


@cli.command()
def run(
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Exit once the queue has been empty this long. Default: run until stopped.",
        ),
    ] = None,
) -> None:
    """Consume the queue until SIGTERM or SIGINT."""
    settings = terminal.settings_of(ConsumerSettings)
    configure_logs(settings.log_level, settings.log_format)
    before, started = Counts.now(), monotonic()
    try:
        with terminal.reported_errors():
            asyncio.run(application.run(settings, until_idle))
    finally:
        done, seconds = Counts.now().since(before), round(monotonic() - started, 1)
        if until_idle is not None and not done.is_nothing:
            amounts = {"rows": done.rows, "megabytes": done.megabytes, "seconds": seconds}
            terminal.print_table(("objects", "count"), {**done.objects, **amounts}.items())


@cli.command()
def explain(
    file: Annotated[
        Path | None, typer.Argument(help="File with a message body. Default: stdin.", exists=True)
    ] = None,
) -> None:
    """Print what would be done with an SQS message body, without doing it."""
    try:
        body = file.read_text(encoding="utf-8") if file else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        terminal.fail(f"cannot read the message body: {error}")
    settings = terminal.settings_of(RoutingSettings)
    own = settings.bucket_name
    buckets = (own, *settings.other_bucket_names) if own else ()
    limit, policy, layout = settings.max_object_bytes, settings.policy, settings.layout
    decision = explaining.explain(body, buckets, limit, policy, layout)
    terminal.print_json(decision, indent=2)
