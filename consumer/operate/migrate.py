"""`consumer migrate`: creates or upgrades the tables, and lets a role read them."""

from typing import Annotated

import typer

from consumer.load.migrations import grants
from consumer.load.migrations import migrate as migrating
from consumer.load.migrations.steps import schema_head
from consumer.settings import DatabaseSettings
from runtime import terminal


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
