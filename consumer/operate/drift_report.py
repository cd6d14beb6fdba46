"""`consumer drift`: what changed upstream, what can be acted on first, and what to do about it."""

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from psycopg.rows import class_row, dict_row

from consumer.drift.findings import DUPLICATE, FUTURE, LINE_TYPE, MISSING, RENAMED, RETYPED, UNKNOWN
from consumer.drift.inference import ENOUGH_RECORDS, Stopped, infer
from consumer.load import statements
from consumer.load.database import open_session
from consumer.settings import DatabaseSettings
from runtime.terminal import fail, finish, print_blocks, print_json, settings_of, tell

Row = dict[str, Any]

# What can be acted on comes before what is only new.
KINDS = (FUTURE, RENAMED, MISSING, RETYPED, LINE_TYPE, DUPLICATE, UNKNOWN)
_NAMED_STORES = 5
_REMEDIES = {
    FUTURE: "the ERP's clock was wrong; docs/operations.md says what this held back",
    RENAMED: "{detail}; restart the consumers and publish what was written since",
    MISSING: "look for its new name with --all, or ask the ERP's people; gone for good: "
    "consumer drift forget {path}",
    RETYPED: "{detail}; what its column cannot hold is in extra, what was refused for it in "
    "`consumer dlq list`",
    LINE_TYPE: "lines have two sub-objects or none; look at them in {last_object_key}",
    DUPLICATE: "an id came twice in a document and the later one counts; ask the ERP's people",
    UNKNOWN: "kept in extra; make it a column (docs/extending.md), or consumer drift forget {path}",
}
# Of a document that is refused whole nothing is kept.
_ALL_REFUSED = (
    "stored nowhere: its documents were refused, see `consumer dlq list`; or consumer drift forget "
    "{path}"
)
_SOME_REFUSED = (
    "kept in extra, but for what was refused ({refused} of {objects} documents), see "
    "`consumer dlq list`; or consumer drift forget {path}"
)

drift = typer.Typer(
    help="Show renamed, missing, retyped and unknown fields: since when, where, what to do.",
    invoke_without_command=True,
)


@drift.callback()
def show(
    context: typer.Context,
    *,
    show_all: Annotated[
        bool, typer.Option("--all", help="Also fields that are only unknown.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on stdout, always of all kinds.")
    ] = False,
) -> None:
    """Show what changed upstream; what is only new is hidden unless asked for."""
    if context.invoked_subcommand:
        return
    rows = finish(read_drift(settings_of(DatabaseSettings)))
    if as_json:
        print_json(rows)
        return
    shown = [row for row in rows if show_all or row["kind"] != UNKNOWN]
    if shown:
        print_blocks(_COLUMNS, map(_cells, shown), _block)
    else:
        typer.echo("no drift")
    if hidden := len(rows) - len(shown):
        tell(f"{hidden} unknown fields are hidden; consumer drift --all names them")


@drift.command()
def forget(
    path: Annotated[str, typer.Argument(help="A path that `consumer drift` names.")],
) -> None:
    """Leave a field out of the report until documents that come later show it again."""
    sources = finish(_forget(settings_of(DatabaseSettings), path))
    if not sources:
        fail(f"nothing is reported of {path!r}; consumer drift --all names every path")
    typer.echo(f"forgotten: {path} of {', '.join(sources)}")


async def read_drift(settings: DatabaseSettings) -> list[Row]:
    """Return what changed upstream, what can be acted on first.

    Returns:
        Rows of `schema_drift` and of what only many documents tell (missing fields, scalars
        renamed), each with `stores`, `since` (business date; None when single documents show it)
        and `remedy`.

    Raises:
        ConsumerError: the database could not be asked.
    """
    async with open_session(settings) as session, session.transaction():
        await session.execute("SET LOCAL jit = off")
        seen = session.cursor(row_factory=dict_row)
        rows = await (await seen.execute(statements.fixed("list_drift"))).fetchall()
        stopped = session.cursor(row_factory=class_row(Stopped))
        enough = {"enough_records": ENOUGH_RECORDS}
        await stopped.execute(statements.fixed("find_stopped"), enough)
        inferred = infer(await stopped.fetchall(), rows)
        known = await session.execute(statements.fixed("list_forgotten"))
        forgotten = {(source, path): at for source, path, at in await known.fetchall()}
    told = [row | {"since": None, "stores": None} for row in rows] + inferred
    left = _without_forgotten(told, forgotten)
    for row in left:
        row["remedy"] = _remedy(row)
    left.sort(key=lambda row: row["last_seen"], reverse=True)
    return sorted(left, key=lambda row: KINDS.index(row["kind"]))


def summary(rows: list[Row]) -> str | None:
    """Say in a line how many findings of each kind there are; None when all are only unknown."""
    kinds = Counter(row["kind"] for row in rows if row["kind"] != UNKNOWN)
    told = []
    for kind, count in kinds.items():
        of_kind = [row for row in rows if row["kind"] == kind]
        days = [row["since"] for row in of_kind if row["since"]]
        stores = sorted({store for row in of_kind for store in row["stores"] or ()})
        since = f" since {min(days)}" if days else ""
        told.append(f"{count} {kind}{since}" + (f", store {_shortened(stores)}" if stores else ""))
    return f"drift: {'; '.join(told)}; see consumer drift" if told else None


_COLUMNS = ("kind", "source", "path", "store", "business day", "last seen", "times", "what to do")


def _cells(row: Row) -> tuple[str, ...]:
    """Return a finding's cells: a missing field's day is the first without it."""
    stores = row["stores"] or [row["last_store_id"] or ""]
    day = f"since {row['since']}" if row["since"] else str(row["last_bus_dt"] or "")
    return (
        row["kind"],
        row["source"],
        row["path"],
        _shortened(stores),
        day,
        f"{row['last_seen']:%Y-%m-%d %H:%M:%SZ}",
        str(row["occurrences"]),
        row["remedy"],
    )


def _block(cells: Sequence[str]) -> tuple[str, ...]:
    kind, source, path, store, day, seen, times, remedy = cells
    where = f"store {store or 'not known'}, business day {day or 'not known'}"
    return f"{kind}: {path} ({source})", f"{where}, last seen {seen}, {times} times", remedy


def _shortened(stores: list[str]) -> str:
    if len(stores) <= _NAMED_STORES:
        return ", ".join(stores)
    return f"{', '.join(stores[:_NAMED_STORES])} and {len(stores) - _NAMED_STORES} more"


def _remedy(row: Row) -> str:
    remedy = _REMEDIES[row["kind"]]
    if row["kind"] == UNKNOWN and row["refused"]:
        remedy = _ALL_REFUSED if row["refused"] == row["objects"] else _SOME_REFUSED
    return remedy.format_map(row | {"path": shlex.quote(row["path"])})


def _without_forgotten(rows: list[Row], forgotten: dict[tuple[str, str], Any]) -> list[Row]:
    """Drop what was forgotten after it was seen last; of what stopped coming, after it stopped."""

    def is_news(row: Row) -> bool:
        at = forgotten.get((row["source"], row["path"]))
        seen = row["first_seen" if row["kind"] in (MISSING, RENAMED) else "last_seen"]
        return at is None or seen > at

    return [row for row in rows if is_news(row)]


async def _forget(settings: DatabaseSettings, path: str) -> list[str]:
    told = await read_drift(settings)
    sources = sorted({row["source"] for row in told if row["path"] == path})
    async with open_session(settings) as session:
        asked = {"path": path, "sources": sources}
        await session.execute(statements.fixed("forget_drift"), asked)
    return sources
