"""`consumer status`: where the service stands. Reads only."""

import asyncio
from typing import Any

import typer
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from consumer.aws.clients import soon
from consumer.aws.s3 import open_lake
from consumer.aws.sqs import open_queues
from consumer.drift.renames import ALIASES_DISAGREE, ALIASES_REMEDY
from consumer.errors import ConsumerError
from consumer.load import statements
from consumer.load.database import open_session
from consumer.operate.drift_report import read_drift, summary
from consumer.operate.watch import find_unreceived
from consumer.settings import ConsumerSettings, DatabaseSettings, LakeSettings
from runtime.terminal import (
    AsJson,
    fail,
    finish,
    print_json,
    print_table,
    printable,
    settings_of,
    tell,
)

Row = dict[str, Any]


def status(*, as_json: AsJson = False) -> None:
    """Show queue depths, ledger counts by state, lag, the last error and what needs a look.

    Exits 1 if the queues or the database do not answer; shows the rest.
    """
    found = finish(_read_status(settings_of(ConsumerSettings)))
    if as_json:
        print_json(found)
    else:
        _print_status(found)
    if found["errors"]:
        fail("\n".join(found["errors"]))


async def _read_status(settings: ConsumerSettings) -> Row:
    """Return where the service stands; what could not be asked is None, and `errors` says why."""
    found: Row = {"queue": None, "dlq": None, "objects": None, "errors": []}
    found |= {"alias_files": [], "drift": None, "unreceived": []}
    asked = (
        _read_queues(settings),
        _read_ledger(settings),
        _read_drift(settings),
        _read_lake(settings),
    )
    for answer in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(answer, ConsumerError):
            found["errors"] += {str(answer)}.difference(found["errors"])
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found |= answer
    return found


async def _read_drift(settings: DatabaseSettings) -> Row:
    return {"drift": summary(await read_drift(settings))}


async def _read_lake(settings: ConsumerSettings) -> Row:
    async with open_lake(settings, 1) as lake, open_session(settings) as session:
        listing = find_unreceived(lake, session, settings.layout)
        return {"unreceived": await soon(listing, f"listing bucket {settings.bucket_name}")}


async def _read_queues(settings: LakeSettings) -> Row:
    async with open_queues(settings) as queues:
        return {
            "queue": await soon(queues.main.depth(), f"asking about {settings.queue_url}"),
            "dlq": await soon(queues.dead.depth(), f"asking about {settings.dlq_url}"),
        }


async def _read_ledger(settings: DatabaseSettings) -> Row:
    async with open_session(settings) as session:
        [totals] = await _rows(session, "summarize_ledger")
        counts = await _rows(session, "count_objects")
        alias_files = await _rows(session, "find_alias_files")
    return totals | {"objects": counts, "alias_files": alias_files}


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
    if found["unreceived"]:
        typer.echo(
            f"lake: {len(found['unreceived'])} objects of the newest days never arrived, such as "
            f"{printable(found['unreceived'][0])}; see consumer doctor, then consumer reconcile"
        )
    if found["drift"]:
        typer.echo(printable(found["drift"]))
    if len(found["alias_files"]) > 1:
        tell(f"{ALIASES_DISAGREE}; {ALIASES_REMEDY}")


def _print(rows: list[Row], columns: tuple[str, ...], empty: str) -> None:
    if not rows:
        typer.echo(empty)
        return
    headings = [name.replace("_", " ") for name in columns]
    print_table(headings, ([row[name] for name in columns] for row in rows))
