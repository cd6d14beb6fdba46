"""One exporter at a time, so that two do not do the same work twice.

Not what keeps the tables right: a lock is lost with its session, and its holder may go on. Commits
are compared with what the catalogue had when the batch began, and that holds without a lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from lakehouse.errors import ExportUnderWay
from lakehouse.feed import Connection

_KEY = "coco-ingest-lakehouse"


@contextmanager
def exporting(session: Connection, *, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the lock while the block runs, in a transaction of its own: poolers allow that.

    Raises:
        ExportUnderWay: another exporter has it, also after `wait_seconds`.
    """
    session.rollback()
    with session.transaction(force_rollback=True):
        session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        if not _is_taken(session, wait_seconds):
            raise ExportUnderWay("another export is under way; wait until it has ended")
        yield


def _is_taken(session: Connection, wait_seconds: float) -> bool:
    if not wait_seconds:
        query = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
        row = session.execute(query, [_KEY]).fetchone()
        return bool(row and row[0])
    session.execute("SELECT set_config('lock_timeout', %s, true)", [f"{wait_seconds * 1000:.0f}"])
    try:
        session.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_KEY])
    except psycopg.errors.LockNotAvailable:
        return False
    return True
