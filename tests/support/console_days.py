"""Ledger rows and store-days as the console finds them, written without loading documents."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from tests.support.databases import conninfo

DAY = date(2024, 3, 4)
CHECKS = "getGuestChecks"
HOUR = timedelta(hours=1)


def midnight(day: date) -> datetime:
    """Return 00:00 UTC of a day."""
    return datetime.fromisoformat(f"{day}T00:00:00+00:00")


class Days:
    """Writes what a consumer would have written."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self._conninfo = conninfo(variables)

    def execute(self, statement: str, *parameters: object) -> list[Any]:
        """Run one statement; return its rows, if it has any."""
        with psycopg.connect(**self._conninfo, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def run(self, statement: str, **asked: object) -> None:
        """Run one statement with named parameters; `%%` is a percent sign."""
        with psycopg.connect(**self._conninfo, autocommit=True) as connection:
            connection.execute(statement.encode(), asked)

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let nobody read a table while the block runs."""
        with psycopg.connect(**self._conninfo) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            yield

    def forget(self) -> None:
        """Leave no row of any table."""
        self.execute(
            "DO $$ DECLARE name text; BEGIN FOR name IN SELECT tablename FROM pg_tables WHERE"
            " schemaname = 'public' AND tablename <> 'alembic_version' LOOP"
            " EXECUTE format('DELETE FROM %I', name); END LOOP; END $$"
        )

    def object(
        self, store: str, day: date | None, *, source: str = CHECKS, state: str = "loaded",
        key: str | None = None, **more: object,
    ) -> int:  # fmt: skip
        """Write a ledger row and its event; return its number."""
        came = more.pop("came", midnight(day or DAY) + 26 * HOUR)
        failed = state == "dead_lettered"
        columns: dict[str, object] = {
            "bucket": "lake",
            "object_key": key or f"raw/api_responses/{source}/busDt={day}/storeId={store}/{came}",
            "version_id": f"{store}{day}{source}{came}",
            "size_bytes": 20_000,
            "source": source,
            "store_id": store,
            "bus_dt": day,
            "state": state,
            "error_code": "records_invalid" if failed else None,
            "error_message": "guestChecks[1]: subTtl: expected a number" if failed else None,
            "error_log_key": f"logs/errors/{store}.json" if failed else None,
            "cause": "abcdefabcdef" if failed else None,
            "event_time": came,
            "event_order": str(came),
            "received_at": came,
            "committed_at": came,
            "records": 10,
        } | more
        places = ", ".join(["%s"] * len(columns))
        [(number,)] = self.execute(
            f"INSERT INTO ingested_objects ({', '.join(columns)}) VALUES ({places})"
            " RETURNING object_id",
            *columns.values(),
        )
        self.execute(
            "INSERT INTO object_events (object_id, state, error_code, cause, error_log_key, records,"
            " quarantined, attempts, ended_at) SELECT object_id, state, error_code, cause,"
            " error_log_key, records, quarantined, attempts, committed_at FROM ingested_objects"
            " WHERE object_id = %s",
            number,
        )
        return int(number)

    def day(self, store: str, day: date = DAY, *, source: str = CHECKS, **more: Any) -> int:
        """Write a store-day that is loaded, with its ledger row; return that row's number."""
        asked = more.pop("asked", midnight(day) + 26 * HOUR)
        number = self.object(store, day, source=source, came=asked)
        columns: dict[str, object] = {
            "source": source,
            "store_id": store,
            "bus_dt": day,
            "object_id": number,
            "as_of": asked,
            "event_order": str(asked),
            "state": "loaded",
            "records": 10,
            "quarantined": 0,
            "first_loaded_at": asked,
            "last_loaded_at": asked,
        } | more
        places = ", ".join(["%s"] * len(columns))
        self.execute(
            f"INSERT INTO store_days ({', '.join(columns)}) VALUES ({places})", *columns.values()
        )
        return number

    def expect(self, *stores: str, first: date = DAY, source: str = CHECKS) -> None:
        """Announce stores from a day on."""
        for store in stores:
            self.execute(
                "INSERT INTO expected_stores VALUES (%s, %s, %s, NULL, now())", store, source, first
            )
