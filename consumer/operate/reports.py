"""`consumer drift` and `consumer status`: tables for people, JSON for machines. Reads only."""

import asyncio
from typing import Annotated, Any

import typer
from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from consumer.aws.clients import soon
from consumer.aws.sqs import open_queues
from consumer.drift.findings import DUPLICATE, FUTURE, LINE_TYPE, MISSING, RENAMED, RETYPED, UNKNOWN
from consumer.drift.inference import ENOUGH_RECORDS, Stopped, infer
from consumer.drift.renames import ALIASES_DISAGREE, ALIASES_REMEDY
from consumer.errors import ConsumerError
from consumer.load import statements
from consumer.load.database import open_session
from consumer.settings import ConsumerSettings, DatabaseSettings, LakeSettings
from runtime.terminal import fail, finish, print_json, print_table, printable, settings_of, tell

Row = dict[str, Any]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, without doing it.")
]

# What can be acted on comes before what is only new.
_KINDS = (FUTURE, RENAMED, MISSING, RETYPED, LINE_TYPE, DUPLICATE, UNKNOWN)
_NAMED_STORES = 5


def drift(*, as_json: AsJson = False) -> None:
    """Show unknown, missing, renamed and retyped fields: since when, in which objects."""
    rows = finish(read_drift(settings_of(DatabaseSettings)))
    if as_json:
        print_json(rows)
        return
    columns = ("source", "path", "kind", "detail", "occurrences", "objects", "first_seen")
    for row in rows:
        stores = row["stores"] or []
        named = ", ".join(stores[:_NAMED_STORES])
        row["stores"] = f"{len(stores)}: {named}, …" if len(stores) > _NAMED_STORES else named
    _print(rows, (*columns, "since", "stores", "last_object_key"), "no drift")


def status(*, as_json: AsJson = False) -> None:
    """Show queue depths, ledger counts by state, lag and the last error.

    Exits 1 if the queues or the database do not answer; shows the rest.
    """
    found = finish(_read_status(settings_of(ConsumerSettings)))
    if as_json:
        print_json(found)
    else:
        _print_status(found)
    if found["errors"]:
        fail("\n".join(found["errors"]))


async def read_drift(settings: DatabaseSettings) -> list[Row]:
    """Return what changed upstream, what can be acted on first.

    Raises:
        ConsumerError: the database could not be asked.
    """
    async with open_session(settings) as session:
        await session.execute("SET jit = off")
        rows = await _rows(session, "list_drift")
        cursor = session.cursor(row_factory=class_row(Stopped))
        enough = {"enough_records": ENOUGH_RECORDS}
        await cursor.execute(statements.fixed("find_stopped"), enough)
        inferred = infer(await cursor.fetchall(), rows)
    told = [{**row, "since": None, "stores": None} for row in rows] + inferred
    told.sort(key=lambda row: row["last_seen"], reverse=True)
    return sorted(told, key=lambda row: _KINDS.index(row["kind"]))


async def _read_status(settings: ConsumerSettings) -> Row:
    """Return where the service stands; what could not be asked is None, and `errors` says why."""
    found: Row = {"queue": None, "dlq": None, "objects": None, "alias_files": [], "errors": []}
    asked = (_read_queues(settings), _read_ledger(settings))
    for answer in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(answer, ConsumerError):
            found["errors"].append(str(answer))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found |= answer
    return found


async def _read_queues(settings: LakeSettings) -> Row:
    async with open_queues(settings) as queues:
        return {
            "queue": await soon(queues.main.depth(), f"asking about {settings.queue_url}"),
            "dlq": await soon(queues.dead.depth(), f"asking about {settings.dlq_url}"),
        }


async def _read_ledger(settings: DatabaseSettings) -> Row:
    async with open_session(settings) as session:
        [summary] = await _rows(session, "summarize_ledger")
        counts = await _rows(session, "count_objects")
        alias_files = await _rows(session, "find_alias_files")
    return summary | {"objects": counts, "alias_files": alias_files}


async def _rows(session: AsyncConnection, name: str) -> list[Row]:
    cursor = session.cursor(row_factory=dict_row)
    return await (await cursor.execute(statements.fixed(name))).fetchall()


def _print_status(found: Row) -> None:
    for name, depth in (("queue", found["queue"]), ("dead-letter queue", found["dlq"])):
        if depth is not None:
            held = f"{depth.in_flight} in flight, {depth.delayed} delayed"
            typer.echo(f"{name}: {depth.visible} visible, {held}")
    if found["objects"] is None:
        return
    columns = ("source", "state", "error_code", "objects")
    _print(found["objects"], columns, "nothing has been ingested yet")
    if found["last_commit"] is not None:
        typer.echo(f"last commit: {found['last_commit'].isoformat()}")
    if found["median_lag_seconds"] is not None:
        typer.echo(f"median lag of the last hour: {found['median_lag_seconds']:.1f} s")
    if found["error_code"] is not None:
        when = found["failed_at"].isoformat()
        what = f"{found['error_code']} in {found['object_key']} at {when}"
        where = f"{found['error_message']} (log: {found['error_log_key']})"
        typer.echo(printable(f"last error: {what}: {where}"))
    if len(found["alias_files"]) > 1:
        tell(f"{ALIASES_DISAGREE}; {ALIASES_REMEDY}")


def _print(rows: list[Row], columns: tuple[str, ...], empty: str) -> None:
    if not rows:
        typer.echo(empty)
        return
    headings = [name.replace("_", " ") for name in columns]
    print_table(headings, ([row[name] for name in columns] for row in rows))
