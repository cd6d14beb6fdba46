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
    grant_console: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE",
            help="The same for the console's role, whose statements then end after ten seconds.",
        ),
    ] = None,
    grant_audit: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE",
            help="Also let this role write down what operators do in the console, and no more.",
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
    for role in filter(None, (grant_read, grant_console)):
        with terminal.reported_errors():
            count = grants.grant_read(settings, role, is_console=role == grant_console)
        _say(f"{role} may read {count} tables and views, and those of later releases")
    if grant_audit is not None:
        with terminal.reported_errors():
            grants.grant_audit(settings, grant_audit)
        _say(f"{grant_audit} may write down what operators do")


def _say(text: str) -> None:
    typer.echo(terminal.printable(text))
