"""The `consumer dlq` commands."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from consumer.aws.clients import soon
from consumer.aws.s3 import open_lake
from consumer.errors import ConsumerError
from consumer.operate.dlq import deeds
from consumer.operate.dlq.dead_letters import DeadLetter, Filters
from consumer.operate.dlq.printing import (
    counted,
    print_dead_letters,
    print_replay_results,
    print_summary,
)
from consumer.operate.dlq.replay_results import ReplayResult
from consumer.settings import DatabaseSettings, LakeSettings
from runtime.errors import EXIT_FAILED
from runtime.terminal import (
    AsJson,
    DryRun,
    fail,
    finish,
    print_json,
    settings_of,
    since_option,
    tell,
)
from schemas.codes import ErrorCode

dlq = typer.Typer(help="Inspect, replay or purge dead-lettered messages.", no_args_is_help=True)


Code = Annotated[
    ErrorCode | None, typer.Option("--error-code", help="Only messages with this error code.")
]
Prefix = Annotated[str | None, typer.Option("--key-prefix", help="Only keys with this prefix.")]
Since = Annotated[datetime | None, since_option("failures")]
Ids = Annotated[
    list[str] | None, typer.Option("--id", help="Only the message with this id; may be repeated.")
]
Rate = Annotated[
    float | None,
    typer.Option(min=0.01, metavar="N", help="Replay at most N messages per second."),
]
Reason = Annotated[str | None, typer.Option(help="Why, for those who read what was done.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after N messages.", metavar="N")]


@dlq.command("list")
def list_dead_letters(*, as_json: AsJson = False) -> None:
    """List dead-lettered messages, with the reason and the error log of each."""
    found = finish(deeds.present(settings_of(LakeSettings), settings_of(DatabaseSettings)))
    if as_json:
        print_json([dead_letter.shown() for dead_letter in found])
    else:
        print_dead_letters(found)


@dlq.command()
def show(message_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one dead-lettered message as JSON: its body, and the bad records from its error log."""
    settings = settings_of(LakeSettings)
    found = finish(deeds.select(settings, Filters(ids=(message_id,))))
    if not found:
        fail(f"no dead letter has the id {message_id}; `consumer dlq list` shows all ids")
    log = finish(_read_log(settings, found[0].error_log_key))
    print_json(found[0].shown() | log | {"body": found[0].delivery.body}, indent=2)


@dlq.command()
def replay(
    *,
    error_code: Code = None,
    key_prefix: Prefix = None,
    since: Since = None,
    message_id: Ids = None,
    limit: Limit = None,
    rate: Rate = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait and report the result of each message.")
    ] = False,
    timeout: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="Wait at most this long.")
    ] = 300,
    as_json: AsJson = False,
) -> None:
    """Send the matching messages back to the main queue; leave the rest in place.

    With --wait, exits 1 if a message was dead-lettered again or did not end in time.
    """
    filters = Filters(error_code, key_prefix, since, message_id or None, limit)
    lake = settings_of(LakeSettings)
    if dry_run:
        print_summary("would replay", finish(deeds.select(lake, filters)), as_json=as_json)
        return
    database = settings_of(DatabaseSettings)
    results: list[ReplayResult] = []
    try:
        deed = deeds.Deed(lake, database, filters, reason)
        finish(deeds.replay(deed, rate, timeout if wait else None, results))
    finally:
        # Report what was done even if the rest failed.
        if wait:
            print_replay_results(results, as_json=as_json)
        else:
            print_summary("replayed", [one.dead_letter for one in results], as_json=as_json)
    if wait and not all(end.is_well for one in results for end in one.objects):
        raise typer.Exit(EXIT_FAILED)


@dlq.command()
def purge(
    *,
    error_code: Code = None,
    key_prefix: Prefix = None,
    since: Since = None,
    message_id: Ids = None,
    limit: Limit = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the matching messages for good; keep their objects and error logs in the lake."""
    filters = Filters(error_code, key_prefix, since, message_id or None, limit)
    lake = settings_of(LakeSettings)
    if dry_run:
        print_summary("would purge", finish(deeds.select(lake, filters)), as_json=as_json)
        return
    if not yes:
        found = finish(deeds.select(lake, filters))
        meant = counted(one.error_code for one in found)
        typer.confirm(f"Delete {meant} for good?", abort=True, err=True)
        # Those and no others: more may have come while we asked.
        filters = Filters(ids=frozenset(one.id for one in found))
    purged: list[DeadLetter] = []
    try:
        deed = deeds.Deed(lake, settings_of(DatabaseSettings), filters, reason)
        finish(deeds.purge(deed, purged))
    finally:
        print_summary("purged", purged, as_json=as_json)


async def _read_log(settings: LakeSettings, key: str) -> dict[str, Any]:
    """Return what an error log tells of the document; the reason if it cannot be read."""
    try:
        async with open_lake(settings, 1) as lake:
            log = json.loads(await soon(lake.read_log(key), f"reading {key}"))
            return {name: log[name] for name in ("errors", "records", "records_total")}
    except (ConsumerError, ValueError, KeyError, TypeError) as error:
        tell(f"the error log cannot be read: {error}")
        return {"errors": None, "records": None, "records_total": None}
