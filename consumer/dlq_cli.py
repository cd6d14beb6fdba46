"""`consumer dlq …`: the operator's view of the dead-letter queue."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from consumer import dlq as letters
from consumer.app import open_queues
from consumer.dlq import DeadLetter, Filters
from consumer.settings import LakeSettings
from consumer.terminal import fail, finish, settings_of
from schemas.codes import ErrorCode

dlq = typer.Typer(help="Look at, replay or purge what is parked.", no_args_is_help=True)

Code = Annotated[ErrorCode | None, typer.Option("--error-code", help="Only this error code.")]
Prefix = Annotated[str | None, typer.Option("--key-prefix", help="Only keys that start so.")]
Since = Annotated[datetime | None, typer.Option(help="Only failures from this time on, in UTC.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only this message id; repeatable.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@dlq.command("list")
def list_letters(*, as_json: AsJson = False) -> None:
    """List what is parked, why, and where its error log is."""
    found = finish(_select(Filters()))
    if as_json:
        typer.echo(json.dumps([letter.as_json() for letter in found], ensure_ascii=False))
    else:
        _print_table(found)


@dlq.command()
def show(message_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one parked message with its body, as JSON."""
    found = finish(_select(Filters(ids=(message_id,), limit=1)))
    if not found:
        fail(f"no message {message_id} is parked; see `consumer dlq list`")
    shown = found[0].as_json() | {"body": found[0].delivery.body}
    typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))


@dlq.command()
def replay(
    *,
    error_code: Code = None,
    key_prefix: Prefix = None,
    since: Since = None,
    message_id: Ids = None,
    limit: Limit = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="At most so many a second.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send the matching messages back to the main queue; leave the rest in place."""
    filters = _filters(error_code, key_prefix, since, message_id, limit)
    if dry_run:
        _report("would replay", finish(_select(filters)), as_json=as_json)
    else:
        _report("replayed", finish(_replay(filters, rate)), as_json=as_json)


@dlq.command()
def purge(
    *,
    error_code: Code = None,
    key_prefix: Prefix = None,
    since: Since = None,
    message_id: Ids = None,
    limit: Limit = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the matching messages for good; their objects and error logs stay in the lake."""
    filters = _filters(error_code, key_prefix, since, message_id, limit)
    if dry_run:
        _report("would purge", finish(_select(filters)), as_json=as_json)
        return
    if not yes:
        typer.confirm("Delete the matching messages for good?", abort=True)
    _report("purged", finish(_purge(filters)), as_json=as_json)


def _filters(
    error_code: ErrorCode | None,
    key_prefix: str | None,
    since: datetime | None,
    message_id: list[str] | None,
    limit: int | None,
) -> Filters:
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return Filters(error_code, key_prefix, since, tuple(message_id or ()), limit)


async def _select(filters: Filters) -> list[DeadLetter]:
    async with (
        open_queues(settings_of(LakeSettings)) as queues,
        aclosing(letters.select(queues.dead, filters)) as matching,
    ):
        return [letter async for letter in matching]


async def _replay(filters: Filters, rate: float | None) -> list[DeadLetter]:
    async with open_queues(settings_of(LakeSettings)) as queues:
        matching = letters.select(queues.dead, filters)
        total = (await queues.dead.depth()).total
        async with aclosing(letters.move(matching, queues.dead, queues.main, rate)) as moving:
            return [letter async for letter in _shown(moving, "replaying", total)]


async def _purge(filters: Filters) -> list[DeadLetter]:
    async with (
        open_queues(settings_of(LakeSettings)) as queues,
        aclosing(letters.select(queues.dead, filters)) as matching,
    ):
        return [
            letter async for letter in matching if not await letters.delete(queues.dead, [letter])
        ]


async def _shown(
    moving: AsyncIterator[DeadLetter], what: str, total: int
) -> AsyncIterator[DeadLetter]:
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        async for letter in moving:
            progress.advance(task)
            yield letter
        await asyncio.sleep(0)


def _report(what: str, found: list[DeadLetter], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"messages": [letter.as_json() for letter in found]}))
        return
    by_code = Counter(letter.error_code for letter in found)
    reasons = ", ".join(f"{count} {code}" for code, count in by_code.most_common())
    typer.echo(f"{what} {len(found)} messages" + (f": {reasons}" if reasons else ""))


def _print_table(found: list[DeadLetter]) -> None:
    table = Table()
    # The id is what the other commands take: it must never be cut.
    table.add_column("id", no_wrap=True, min_width=36)
    for heading in ("code", "object", "message"):
        table.add_column(heading, overflow="fold")
    for letter in found:
        table.add_row(letter.id, letter.error_code, letter.object_key, letter.error_message)
    Console().print(table if found else "nothing is parked")
