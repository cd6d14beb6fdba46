"""`python -m consumer.load.migrations new NAME` writes the step for fields without a column."""

import asyncio
from typing import Annotated

import typer

from consumer.errors import ConsumerError
from consumer.load.database import open_session
from consumer.load.migrations.schema import StoredColumns, stored_columns, stored_schema
from consumer.load.migrations.steps import schema_head, step_files, works_from
from consumer.load.migrations.writing import NotWritable, migration
from consumer.settings import DatabaseSettings
from runtime.terminal import fail, settings_of

cli = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@cli.callback()
def main() -> None:
    """Write the schema's steps."""


@cli.command()
def new(
    name: Annotated[str, typer.Argument(help="What the step does, such as check_loyalty_number.")],
) -> None:
    """Write the step that gives the database of DB_* what the contracts name and it lacks.

    Run `consumer migrate` on that database first; an empty one will do.
    """
    if not name.isidentifier():
        fail(f"{name!r} is no name for a file: use letters, digits and _")
    try:
        script = migration(asyncio.run(_columns(settings_of(DatabaseSettings))))
    except (ConsumerError, NotWritable) as error:
        fail(str(error))
    if not script:
        fail("the database has every column and comment of the contracts: nothing to write")
    number = f"{int(schema_head()) + 1:04}"
    path = step_files()[-1].with_name(f"{number}_{name}.sql")
    # An older release would go on writing these fields elsewhere.
    head = f"-- {name.replace('_', ' ').capitalize()}.\n{works_from(number)}"
    path.write_text(f"{head}\n\n{script}\n", encoding="utf-8")
    typer.echo(path)


async def _columns(settings: DatabaseSettings) -> StoredColumns:
    async with open_session(settings) as session:
        found, head = (await stored_schema(session)).version, schema_head()
        if found != head:
            fail(f"the database is at schema {found or 'none'}, not {head}: run `consumer migrate`")
        return await stored_columns(session)


if __name__ == "__main__":
    cli()
