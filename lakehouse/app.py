"""The one place where the parts of `lakehouse` are put together.

Arrow and pyiceberg take most of a second to import: what needs neither does not wait for them.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from lakehouse import feed
from lakehouse.errors import LakehouseError
from lakehouse.feed import Connection, Selection
from lakehouse.locks import exporting
from lakehouse.queue import queue_status
from lakehouse.settings import LakehouseSettings
from lakehouse.watch import Watch
from runtime.postgres import connect

if TYPE_CHECKING:
    from lakehouse.batch import Place

_LOCK_WAIT_SECONDS = 600.0


@contextmanager
def opened(settings: LakehouseSettings) -> Iterator[Connection]:
    """Hold a session; psycopg's errors, also of the block, become one that says what to do."""
    try:
        with closing(connect(settings)) as connection:
            yield connection
    except psycopg.Error as error:
        told = (error.diag.message_primary or str(error)).partition("\n")[0]
        raise LakehouseError(f"PostgreSQL cannot be used: {told}") from error


@contextmanager
def placed(settings: LakehouseSettings, connection: Connection) -> "Iterator[Place]":
    """Hold the catalogue and the lake; their errors become one that says what to do."""
    from lakehouse.batch import Place  # noqa: PLC0415 - as the module says
    from lakehouse.catalog import CATALOG_ERRORS, open_tables, unusable  # noqa: PLC0415
    from lakehouse.lake import open_lake  # noqa: PLC0415

    with closing(open_tables(settings)) as tables:
        personal, days = settings.lakehouse_personal_columns, settings.lakehouse_batch_days
        try:
            yield Place(connection, tables, open_lake(settings), personal, days)
        except CATALOG_ERRORS as error:
            raise unusable(settings, error) from error


def init(settings: LakehouseSettings) -> bool:
    """Make catalogue, tables and change feed; say whether all days were queued."""
    from lakehouse.catalog import CATALOG_ERRORS, open_tables, unusable  # noqa: PLC0415
    from lakehouse.columns import stored_columns  # noqa: PLC0415

    with opened(settings) as connection:
        feed.check_tables(connection)
        with closing(open_tables(settings, make=True)) as tables:
            try:
                tables.follow(stored_columns(connection, settings.lakehouse_personal_columns))
            except CATALOG_ERRORS as error:
                raise unusable(settings, error) from error
        connection.rollback()
        return feed.install(connection)


def disable(settings: LakehouseSettings) -> bool:
    """Remove the change feed; say whether there was one."""
    with opened(settings) as connection:
        return feed.remove(connection)


def export(
    settings: LakehouseSettings, selection: Selection, watch: Watch | None = None, *, again: bool
) -> dict[str, Any]:
    """Export what is queued; `again` queues the days of the selection first."""
    with ExitStack() as stack:
        connection = stack.enter_context(opened(settings))
        if not again and not feed.has_pending(connection, selection):
            return {"batches": 0, "days": 0, "files": 0, "rows": 0, "bytes": 0}
        from lakehouse.export import export as export_all  # noqa: PLC0415 - as the module says

        locks = stack.enter_context(opened(settings))
        place = stack.enter_context(placed(settings, connection))
        if again:
            with connection.transaction():
                feed.queue_all(connection, selection, place.tables.exported_days())
        totals = export_all(place, partial(exporting, locks), selection, watch or Watch())
        return asdict(totals)


def verify(
    settings: LakehouseSettings, selection: Selection, advance: Callable[..., None]
) -> dict[str, Any]:
    """Compare the Iceberg tables with PostgreSQL."""
    with ExitStack() as stack:
        connection = stack.enter_context(opened(settings))
        feed.has_pending(connection, selection)  # without a feed, nobody knows what may differ
        from lakehouse.verify import verify as compare  # noqa: PLC0415 - as the module says

        locks = stack.enter_context(opened(settings))
        place = stack.enter_context(placed(settings, connection))
        lock = partial(exporting, locks, wait_seconds=_LOCK_WAIT_SECONDS)
        return asdict(compare(place, lock, selection, advance))


def status(settings: LakehouseSettings) -> dict[str, Any]:
    """Return what is queued, what was published, and how large the tables are."""
    with opened(settings) as connection:
        queue = queue_status(connection)
        with placed(settings, connection) as place:
            from lakehouse.status import tables_status  # noqa: PLC0415 - as the module says

            return queue | tables_status(place)


def clean(settings: LakehouseSettings, *, dry_run: bool) -> dict[str, Any]:
    """Delete old snapshots and files that nobody names; or tell which."""
    from lakehouse.clean import Ages  # noqa: PLC0415 - as the module says
    from lakehouse.clean import clean as clean_all  # noqa: PLC0415

    keep = timedelta(days=settings.lakehouse_keep_days)
    spare = timedelta(hours=settings.lakehouse_longest_export_hours)
    with opened(settings) as connection, placed(settings, connection) as place:
        lock = partial(exporting, connection, wait_seconds=_LOCK_WAIT_SECONDS)
        return asdict(clean_all(place, lock, Ages(keep, spare), dry_run=dry_run))


async def run(settings: LakehouseSettings, every_seconds: float) -> None:
    """Export every so many seconds until SIGTERM or SIGINT."""
    from lakehouse.daemon import run_daemon  # noqa: PLC0415 - only the daemon serves metrics

    def run_round(is_stopped: Callable[[], bool]) -> dict[str, Any]:
        return export(settings, Selection(), Watch(is_stopped=is_stopped), again=False)

    await run_daemon(settings, run_round, every_seconds)
