"""The change feed: which business days were written since they were last exported.

Triggers fill it in the writers' own transactions. The ledger could not be the feed: a partial
document changes a check without becoming its `object_id`, and transactions do not commit in the
order of `committed_at`. What a snapshot sees of the feed is what it sees of the rows, so that
deleting exactly these entries loses nothing that was still under way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from lakehouse.errors import LakehouseError, Misfit
from lakehouse.tables import MENU_ITEMS, TABLES, DataTable

Connection = psycopg.Connection[Any]

_EVENTS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
_TRANSITIONS = {
    "INSERT": "REFERENCING NEW TABLE AS new_rows",
    "UPDATE": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "REFERENCING OLD TABLE AS old_rows",
    "TRUNCATE": "",
}
_FUNCTIONS = ("checks", "children", "list", "whole")
# In the order in which a batch of the consumer locks them, so that both wait in a line.
WATCHED: dict[str, str] = {
    "menu_items": "whole",
    "guest_checks": "checks",
    "taxes": "children",
    "detail_lines": "children",
    "fiscal_invoices": "list",
    "charge_backs": "list",
    "transactions": "list",
    "cash_management_details": "list",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which queued days to export: all, or those in a range."""

    first: date | None = None
    last: date | None = None

    @property
    def is_everything(self) -> bool:
        """Whether no range was given."""
        return self.first is None and self.last is None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch exports: days by topic, and the entries of the feed that say so."""

    days: Mapping[str, tuple[date | None, ...]] = field(default_factory=dict)
    ids: tuple[int, ...] = ()

    def of(self, table: DataTable) -> tuple[date | None, ...]:
        """Return the days to export of a table; None is the day that is not known, or all rows."""
        return self.days.get(table.topic, ())


@cache
def statement(name: str) -> sql.SQL:
    """Return the SQL of `lakehouse/sql/<name>.sql`."""
    return sql.SQL((files("lakehouse") / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def is_complete(connection: Connection) -> bool:
    """Say whether every table has all of its triggers, enabled."""
    found = {tuple(row) for row in connection.execute(statement("find_triggers")).fetchall()}
    wanted = {(table, _trigger(event)) for table in WATCHED for event in _EVENTS}
    return wanted <= found


def install(connection: Connection) -> bool:
    """Make the feed in one transaction; say whether something of it was missing.

    What was written before, or while a trigger was missing, is unknown: all days are queued then.
    Waits for writers under way.

    Raises:
        LakehouseError: the tables are not there.
    """
    with connection.transaction():
        check_tables(connection)
        tables = sql.SQL(", ").join(map(sql.Identifier, WATCHED))
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(tables))
        was_complete = is_complete(connection)
        connection.execute(statement("note_changes"))
        for table, kind in WATCHED.items():
            for event in _EVENTS:
                connection.execute(_create_trigger(table, event, kind))
                enable = sql.SQL("ALTER TABLE {} ENABLE TRIGGER {}")
                names = sql.Identifier(table), sql.Identifier(_trigger(event))
                connection.execute(enable.format(*names))
        if not was_complete:
            queue_all(connection, Selection())
    return not was_complete


def remove(connection: Connection) -> bool:
    """Remove triggers, functions and queue in one transaction; say whether there were any."""
    with connection.transaction():
        row = connection.execute("SELECT to_regclass('lakehouse_changes') IS NOT NULL").fetchone()
        for kind in _FUNCTIONS:
            name = sql.Identifier(f"lakehouse_note_{kind}")
            connection.execute(sql.SQL("DROP FUNCTION IF EXISTS {} CASCADE").format(name))
        connection.execute("DROP TABLE IF EXISTS lakehouse_changes")
    return bool(row and row[0])


def queue_all(
    connection: Connection, selection: Selection, exported: Iterable[tuple[str, date | None]] = ()
) -> None:
    """Queue every day that has rows, newest first, and (topic, day) pairs that were exported."""
    bounds = {"first": selection.first, "last": selection.last}
    queries = [
        sql.SQL("SELECT {}, {} AS day FROM {} AS t").format(
            sql.Literal(table.topic), sql.Identifier(table.day), sql.Identifier(table.relation)
        )
        for table in TABLES.values()
        if table.day is not None and not table.of_check and table.keeps_removed
    ]
    pairs = list(exported)
    connection.execute(
        sql.SQL(
            "INSERT INTO lakehouse_changes (topic, business_day) "
            "SELECT topic, day FROM ({} UNION SELECT * FROM unnest(%(topics)s::text[], "
            "%(days)s::date[])) AS q (topic, day) "
            "WHERE (%(first)s::date IS NULL AND %(last)s::date IS NULL) "
            "OR day BETWEEN coalesce(%(first)s::date, '-infinity') "
            "AND coalesce(%(last)s::date, 'infinity') ORDER BY day DESC NULLS LAST, topic"
        ).format(sql.SQL(" UNION ").join(queries)),
        bounds | {"topics": [topic for topic, _ in pairs], "days": [day for _, day in pairs]},
    )
    connection.execute("INSERT INTO lakehouse_changes (topic) VALUES (%s)", [MENU_ITEMS])


def has_pending(connection: Connection, selection: Selection) -> bool:
    """Say whether something is queued.

    Raises:
        LakehouseError: there is no feed.
    """
    return bool(pending(connection, selection, 1).ids)


def pending(connection: Connection, selection: Selection, days_count: int) -> Changes:
    """Return what waits longest, of at most `days_count` business days.

    Raises:
        LakehouseError: there is no feed.
        Misfit: a day is none that a partition can have.
    """
    bounds = {"first": selection.first, "last": selection.last, "days": days_count}
    try:
        rows = connection.execute(statement("pending_changes"), bounds).fetchall()
    except psycopg.errors.UndefinedTable as error:
        raise LakehouseError(
            "changes are not noted in this database: run `lakehouse init` first"
        ) from error
    days: dict[str, list[date | None]] = {}
    for topic, day, _ in rows:
        days.setdefault(topic, []).append(_read_day(topic, day))
    ids = tuple(change_id for *_, change_ids in rows for change_id in change_ids)
    return Changes({topic: tuple(found) for topic, found in days.items()}, ids)


def acknowledge(connection: Connection, changes: Changes) -> None:
    """Forget exported changes; those that came since stay."""
    with connection.transaction():
        connection.execute(
            "DELETE FROM lakehouse_changes WHERE change_id = ANY (%s)", [list(changes.ids)]
        )


def _read_day(topic: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise Misfit(
            f"{topic}: the business day {text} is none of the years 0001 to 9999; correct it at "
            "the source"
        ) from error


def _trigger(event: str) -> str:
    return f"lakehouse_{event.lower()}"


def _create_trigger(table: str, event: str, kind: str) -> sql.Composed:
    # TRUNCATE has no transition tables: the rows are read before they are gone.
    return sql.SQL(
        "CREATE OR REPLACE TRIGGER {} {} {} ON {} {} FOR EACH STATEMENT EXECUTE FUNCTION {}()"
    ).format(
        sql.Identifier(_trigger(event)),
        sql.SQL("BEFORE" if event == "TRUNCATE" else "AFTER"),
        sql.SQL(event),
        sql.Identifier(table),
        sql.SQL(_TRANSITIONS[event]),
        sql.Identifier(f"lakehouse_note_{kind}"),
    )


def check_tables(connection: Connection) -> None:
    """Raise LakehouseError if the consumer's tables are not there."""
    relations = [table.relation for table in TABLES.values()]
    query = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL"
    if missing := connection.execute(query, [relations]).fetchall():
        names = ", ".join(name for (name,) in missing)
        raise LakehouseError(f"there is no table {names}: run `consumer migrate` first")
