"""What operators ask the tables: drift and the state of the ledger. Reads only."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from consumer.aws.sqs import Depth
from consumer.drift.findings import DUPLICATE, FUTURE, LINE_TYPE, MISSING, RENAMED, RETYPED, UNKNOWN
from consumer.drift.inference import ENOUGH_RECORDS, Stopped, infer
from consumer.load import statements
from consumer.load.database import mapped
from consumer.load.sessions import connect
from consumer.settings import DatabaseSettings

Row = dict[str, Any]

# What can be acted on comes before what is only new.
_KINDS = (FUTURE, RENAMED, MISSING, RETYPED, LINE_TYPE, DUPLICATE, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Status:
    """Where the service stands: queues, ledger, lag and the last failure.

    What could not be asked is None, and `errors` says why.
    """

    queue: Depth | None
    dlq: Depth | None
    objects: list[Row] | None
    summary: Row | None
    alias_files: list[Row] | None = None
    errors: tuple[str, ...] = ()

    def as_json(self) -> Row:
        """Return it ready for JSON."""
        return {
            "queue": _depth(self.queue),
            "dlq": _depth(self.dlq),
            "objects": self.objects,
            **plain(self.summary or {}),
            "alias_files": [plain(row) for row in self.alias_files or ()],
            "errors": self.errors,
        }


def read_drift(settings: DatabaseSettings) -> list[Row]:
    """Return what changed upstream, what can be acted on first. Blocks.

    `since` and `stores` are of what only many documents tell: missing fields, scalars renamed.

    Raises:
        ConsumerError: the database could not be asked.
    """
    try:
        with connect(settings) as connection:
            connection.execute("SET LOCAL jit = off")
            seen = connection.cursor(row_factory=dict_row)
            seen.execute(statements.fixed("list_drift"))
            stopped = connection.cursor(row_factory=class_row(Stopped))
            enough = {"enough_records": ENOUGH_RECORDS}
            stopped.execute(statements.fixed("find_stopped"), enough)
            rows = seen.fetchall()
            inferred = infer(stopped.fetchall(), rows)
    except psycopg.Error as error:
        raise mapped(error) from error
    told = [{**row, "since": None, "stores": None} for row in rows] + inferred
    told.sort(key=lambda row: row["last_seen"], reverse=True)
    return sorted(told, key=lambda row: _KINDS.index(row["kind"]))


def read_ledger(settings: DatabaseSettings) -> tuple[list[Row], Row, list[Row]]:
    """Return objects by source, state and code, the ledger's summary, and alias files. Blocks.

    Raises:
        ConsumerError: the database could not be asked.
    """
    return (
        _rows(settings, "count_objects"),
        _rows(settings, "summarize_ledger")[0],
        _rows(settings, "find_alias_files"),
    )


def plain(row: Row) -> Row:
    """Return a row with times and days as text, ready for JSON."""
    return {
        name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()
    }


def _rows(settings: DatabaseSettings, name: str) -> list[Row]:
    try:
        with connect(settings) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return cursor.execute(statements.fixed(name)).fetchall()
    except psycopg.Error as error:
        raise mapped(error) from error


def _depth(depth: Depth | None) -> Row | None:
    if depth is None:
        return None
    return {"visible": depth.visible, "in_flight": depth.in_flight, "delayed": depth.delayed}
