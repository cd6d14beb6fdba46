"""`consumer prune`: drops what nothing will ask for again, so that tables do not grow for ever.

What may go is said by the statements in `consumer/load/sql/pruning/`, and why it cannot change a
later answer in docs/operations.md. Tables are walked by place, some pages a transaction: consumers
go on meanwhile, and no row that one of them holds is waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from consumer.load import statements
from consumer.load.database import open_session
from consumer.rows.tables import DETAIL_LINES, LIST_TABLES, TAXES
from consumer.settings import DatabaseSettings
from runtime.durations import seconds_of
from runtime.terminal import (
    AsJson,
    DryRun,
    finish,
    print_json,
    print_table,
    progress,
    reported_errors,
    settings_of,
)
from schemas.keys import API_PREFIX

# A message lives at most two weeks in a queue, and as long again among dead letters.
_LEAST = timedelta(days=30)
_PAGES = 256  # 2 MB of a table in a transaction


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows that may go: the table that is walked, and the statement for some pages."""

    name: str
    table: str
    statement: bytes
    # Locks rows and returns their places, where the statement must see all that came before.
    lock: bytes | None = None


def kinds() -> list[Kind]:
    """Return what is pruned, in this order."""
    removed = [TAXES, DETAIL_LINES, *LIST_TABLES.values()]
    return [
        *(
            Kind(f"removed {table.name}", table.name, statements.for_table("prune_rows", table))
            for table in removed
        ),
        Kind(
            "patches",
            "guest_checks",
            statements.fixed("prune_patches"),
            lock=statements.fixed("lock_patched"),
        ),
        Kind("ledger", "ingested_objects", statements.fixed("prune_ledger")),
        Kind("earlier ends", "object_events", statements.fixed("prune_events")),
        Kind("dead letters", "dead_letters", statements.fixed("prune_dead_letters")),
        Kind("action items", "operator_action_items", statements.fixed("prune_action_items")),
        Kind("actions", "operator_actions", statements.fixed("prune_actions")),
    ]


def prune(
    *,
    older_than: Annotated[
        str, typer.Option(metavar="DURATION", help="What is older than this: 400d. At least 30d.")
    ],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Drop ledger rows, removed rows and patches that can no longer decide anything.

    Also earlier ends of objects, dead letters that have left the queue, and operators' actions.

    Safe beside running consumers and to repeat; stopped half-way, it has dropped what it counted.
    """
    with reported_errors():
        age = timedelta(seconds=seconds_of(older_than))
    if age < _LEAST:
        raise typer.BadParameter(f"--older-than: at least {_LEAST.days}d")
    settings = settings_of(DatabaseSettings)
    dropped: dict[str, int] = {}
    try:
        finish(_prune(settings, age, dropped, dry_run=dry_run))
    finally:
        # Report what was done even if the rest failed.
        if as_json:
            print_json({"dry_run": dry_run, "dropped": dropped})
        else:
            print_table(("kind", "would drop" if dry_run else "dropped"), dropped.items())


async def _prune(
    settings: DatabaseSettings, age: timedelta, dropped: dict[str, int], *, dry_run: bool
) -> None:
    async with open_session(settings) as session:
        with progress("pruning", None) as advance:
            await drop(session, datetime.now(UTC) - age, dropped, advance, dry_run=dry_run)


async def drop(
    session: AsyncConnection[Any],
    older_than: datetime,
    dropped: dict[str, int],
    advance: Callable[[int, int], None],
    *,
    dry_run: bool = False,
) -> None:
    """Drop what is older; `dropped` learns how many rows of each kind, whatever happens.

    Args:
        session: Commits each statement by itself.
        older_than: What is not older stays.
        dropped: By kind.
        advance: Is told the pages that were walked, and how many there are.
        dry_run: Count, and drop nothing.

    Raises:
        psycopg.Error: PostgreSQL could not be asked; what was counted was dropped.
    """
    began = datetime.now(UTC)
    # Before the first row goes: whoever looks for objects must not find them missing.
    if not dry_run:
        await session.execute(statements.fixed("begin_pruning"), (began, older_than))
    await session.execute(statements.fixed("list_kept"), {"older_than": older_than})
    await session.execute("CREATE INDEX ON kept_objects (object_id)")
    await session.execute("ANALYZE kept_objects")
    try:
        pages = {kind.name: await _page_count(session, kind.table) for kind in kinds()}
        walked = 0
        for kind in kinds():
            dropped.setdefault(kind.name, 0)
            for first in range(0, pages[kind.name], _PAGES):
                dropped[kind.name] += await _drop_pages(
                    session, kind, first, older_than, dry_run=dry_run
                )
                walked += min(_PAGES, pages[kind.name] - first)
                advance(walked, sum(pages.values()))
    finally:
        await session.execute("DROP TABLE kept_objects")
        if not dry_run:
            await session.execute(statements.fixed("end_pruning"), (Jsonb(dropped), began))


async def _drop_pages(
    session: AsyncConnection[Any], kind: Kind, first: int, older_than: datetime, *, dry_run: bool
) -> int:
    place: dict[str, Any] = {
        "first": f"({first},0)",
        "last": f"({first + _PAGES},0)",
        "older_than": older_than,
        "prefix": API_PREFIX,
    }
    async with session.transaction(force_rollback=dry_run):
        if kind.lock:
            cursor = await session.execute(kind.lock, place)
            [place["held"]] = await cursor.fetchone() or ([],)
        return (await session.execute(kind.statement, place)).rowcount


async def _page_count(session: AsyncConnection[Any], table: str) -> int:
    query = "SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::integer"
    row = await (await session.execute(query, (table,))).fetchone()
    return int(row[0]) if row else 0
