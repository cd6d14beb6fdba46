"""Everything that is queued, batch after batch."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog

from lakehouse import feed
from lakehouse.batch import Batch, Place, run_batch
from lakehouse.errors import Conflict, LakehouseError
from lakehouse.feed import Selection
from lakehouse.watch import Watch

log = structlog.get_logger()

_TRIES = 6

Lock = Callable[[], AbstractContextManager[None]]


@dataclass(slots=True)
class Totals:
    """What an export did, all batches together."""

    export_id: str | None = None
    snapshot_time: str | None = None
    complete: bool | None = None
    batches: int = 0
    days: int = 0
    files: int = 0
    rows: int = 0
    bytes: int = 0

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        self.export_id = batch.export_id
        self.snapshot_time = batch.snapshot_time.isoformat()
        self.complete = batch.is_complete
        self.batches += 1
        self.days += len({day for days in batch.changes.days.values() for day in days})
        self.files += sum(file.path is not None for files in batch.files.values() for file in files)
        self.rows += batch.row_count
        self.bytes += batch.size_bytes


def export(place: Place, lock: Lock, selection: Selection, watch: Watch) -> Totals:
    """Export what is queued until nothing is left, or a whole round added nothing new.

    Raises:
        LakehouseError: another export is under way, or a value does not fit.
        Stopped: asked to stop.
    """
    totals = Totals()
    newest: int | None = None
    while True:
        with lock():  # let go between batches, for `verify` and `clean`
            batch = _until_unopposed(place, selection, watch)
        if batch is None:
            return totals
        totals.add(batch)
        log.debug("batch_exported", export_id=batch.export_id, rows=batch.row_count)
        # What is written meanwhile is the next export's, or busy stores would keep us for ever.
        newest = newest if newest is not None else _newest(place)
        if batch.is_complete or newest is None or not _is_older_left(place, selection, newest):
            return totals


def _until_unopposed(place: Place, selection: Selection, watch: Watch) -> Batch | None:
    for number in range(1, _TRIES + 1):
        try:
            return run_batch(place, selection, watch)
        except Conflict:
            log.warning("batch_conflicted", attempt=number)
    raise LakehouseError(
        f"somebody else committed to the tables during {_TRIES} attempts; only one program may "
        "write them: see that no other exporter or compaction runs"
    )


def _newest(place: Place) -> int | None:
    with place.connection.transaction():
        row = place.connection.execute("SELECT max(change_id) FROM lakehouse_changes").fetchone()
    return row[0] if row else None


def _is_older_left(place: Place, selection: Selection, newest: int) -> bool:
    with place.connection.transaction():
        ids = feed.pending(place.connection, selection, 1).ids
    return bool(ids) and min(ids) <= newest
