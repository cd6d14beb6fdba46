"""`consumer dlq …`: the operator's view of the dead-letter queue."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from consumer.aws.clients import soon
from consumer.aws.queues import Queues, open_queues
from consumer.aws.sqs import Queue
from consumer.operate.dlq import queue as parked_messages
from consumer.operate.dlq.dead_letters import DeadLetter, Filters
from consumer.operate.dlq.output import (
    all_went_well,
    counted,
    print_ends,
    print_letters,
    print_summary,
)
from consumer.operate.dlq.replay_results import AskLedger, Replayed, follow, open_ledger
from consumer.settings import DatabaseSettings, LakeSettings
from runtime.errors import EXIT_FAILED
from runtime.terminal import fail, finish, print_json, progress, settings_of, tell
from schemas.codes import ErrorCode

dlq = typer.Typer(help="Look at, replay or purge what is parked.", no_args_is_help=True)

_WAIT_SECONDS = 300


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("expected a time like 2024-06-01T12:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


Code = Annotated[ErrorCode | None, typer.Option("--error-code", help="Only this error code.")]
Prefix = Annotated[str | None, typer.Option("--key-prefix", help="Only keys that start so.")]
Since = Annotated[
    datetime | None,
    typer.Option(
        parser=_time, metavar="TIME", help="Only failures from this time on, in UTC if not said."
    ),
]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only this message id; repeatable.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@dlq.command("list")
def list_letters(*, as_json: AsJson = False) -> None:
    """List what is parked, why, and where its error log is."""
    found = finish(_select(settings_of(LakeSettings), Filters()))
    if as_json:
        print_json([letter.as_json() for letter in found])
    else:
        print_letters(found)


@dlq.command()
def show(message_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one parked message with its body, as JSON."""
    filters = Filters(ids=frozenset((message_id,)))
    found = finish(_select(settings_of(LakeSettings), filters))
    if not found:
        fail(f"no message {message_id} is parked; see `consumer dlq list`")
    print_json(found[0].as_json() | {"body": found[0].delivery.body}, indent=2)


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
    wait: Annotated[bool, typer.Option("--wait", help="Say what became of each.")] = False,
    timeout: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="How long --wait waits at most.")
    ] = _WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Send the matching messages back to the main queue; leave the rest in place.

    With --wait, exits 1 when some were parked again or have not ended in time.
    """
    filters = _filters(error_code, key_prefix, since, message_id, limit)
    lake = settings_of(LakeSettings)
    if dry_run:
        print_summary("would replay", finish(_select(lake, filters)), as_json=as_json)
        return
    database = settings_of(DatabaseSettings) if wait else None
    moved: list[Replayed] = []
    try:
        finish(_replay(lake, database, filters, rate, timeout, moved))
    finally:
        # What was done is told even if the rest could not be.
        if wait:
            print_ends(moved, as_json=as_json)
        else:
            print_summary("replayed", [one.letter for one in moved], as_json=as_json)
    if wait and not all_went_well(moved):
        raise typer.Exit(EXIT_FAILED)


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
    lake = settings_of(LakeSettings)
    if dry_run:
        print_summary("would purge", finish(_select(lake, filters)), as_json=as_json)
        return
    if not yes:
        found = finish(_select(lake, filters))
        typer.confirm(f"Delete {counted(found)} for good?", abort=True, err=True)
        # Those and no others: more may have come while we asked.
        filters = Filters(ids=frozenset(letter.id for letter in found))
    purged: list[DeadLetter] = []
    try:
        finish(_purge(lake, filters, purged))
    finally:
        print_summary("purged", purged, as_json=as_json)


def _filters(
    error_code: ErrorCode | None,
    key_prefix: str | None,
    since: datetime | None,
    message_id: list[str] | None,
    limit: int | None,
) -> Filters:
    ids = frozenset(message_id) if message_id else None
    return Filters(error_code, key_prefix, since, ids, limit)


@asynccontextmanager
async def _open(lake: LakeSettings) -> AsyncIterator[tuple[Queues, int]]:
    """Open the queues and count the dead letters; says how many nobody can see now."""
    async with open_queues(lake) as queues:
        depth = await soon(queues.dead.depth(), f"asking about {lake.dlq_url}")
        if hidden := depth.in_flight + depth.delayed:
            tell(
                f"{hidden} parked messages are invisible at the moment, because another command "
                "looks at them or was killed while it did; run this again in a minute to see them"
            )
        yield queues, depth.total


async def _select(lake: LakeSettings, filters: Filters) -> list[DeadLetter]:
    async with (
        _open(lake) as (queues, _),
        aclosing(parked_messages.select(queues.dead, filters)) as matching,
    ):
        return [letter async for group in matching for letter in group]


async def _replay(
    lake: LakeSettings,
    database: DatabaseSettings | None,
    filters: Filters,
    rate: float | None,
    timeout: int,
    moved: list[Replayed],
) -> None:
    """Replay and, given a database, wait; `moved` learns what was done, whatever happens."""
    async with AsyncExitStack() as stack:
        queues, parked = await stack.enter_async_context(_open(lake))
        # Before anything is moved: what commits from now on is new.
        ask = await stack.enter_async_context(open_ledger(database)) if database else None
        moving = parked_messages.move(queues.dead, filters, queues.main, rate)
        with progress("replaying", int(min(parked, filters.most))) as advance:
            async with aclosing(moving):
                async for letter in moving:
                    moved.append(Replayed(letter))
                    advance(len(moved))
        if ask is not None:
            await _wait(queues.main, ask, moved, timeout)


async def _wait(main: Queue, ask: AskLedger, moved: Sequence[Replayed], timeout: int) -> None:
    async def depth() -> int:
        return (await main.depth()).total

    with progress("waiting", len(moved)) as advance:
        async with aclosing(follow(moved, ask, depth, timeout)) as ends:
            async for ended in ends:
                advance(ended)


async def _purge(lake: LakeSettings, filters: Filters, purged: list[DeadLetter]) -> None:
    async with (
        _open(lake) as (queues, parked),
        aclosing(parked_messages.purge(queues.dead, filters)) as deleted,
    ):
        with progress("purging", int(min(parked, filters.most))) as advance:
            async for letter in deleted:
                purged.append(letter)
                advance(len(purged))
