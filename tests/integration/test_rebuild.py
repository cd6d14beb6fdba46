"""Losing PostgreSQL loses nothing: the tables are made again from the lake."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from tests.conftest import Lake
from tests.support.consuming import consume, put
from tests.support.databases import execute
from tests.support.migrated import with_tables
from tests.support.programs import query, succeed
from tests.support.storied import check, fill, key
from tests.support.tables import DATA_TABLES, Tables, looking

_STORE = "001"
# Columns that do not depend on when and in what order we ran.
_BOOKKEEPING = (
    "SELECT store_id, guest_check_id, as_of, patched FROM guest_checks ORDER BY 1, 2",
    "SELECT source, store_id, bus_dt, as_of, state, whole_as_of FROM store_days ORDER BY 1, 2, 3",
    "SELECT object_key, etag, source, store_id, bus_dt, records FROM ingested_objects ORDER BY 1, 2",
)


def put_year(lake: Lake) -> None:
    """Put days of a year: a field is renamed in July, every second one is corrected."""
    for number in range(0, 365, 15):
        day = date(2023, 1, 1) + timedelta(days=number)
        for version in range(2 if number % 2 == 0 else 1):
            one = check(number, version, opnBusDt=str(day), clsdBusDt=str(day), subTtl=version + 9)
            if day.month >= 7:
                one["taxation"] = one.pop("taxes")
            body = {"curUTC": f"{day}T2{version}:30:00", "locRef": _STORE, "guestChecks": [one]}
            where = key("getGuestChecks", str(day), str(version), _STORE)
            put(lake, where, json.dumps(body).encode())


def content(environment: Mapping[str, str]) -> dict[str, list[Any]]:
    """Read all that does not depend on when we ran."""
    with looking(environment) as look:
        tables = {table: Tables(look).rows(table) for table in DATA_TABLES}
    return tables | {statement: query(environment, statement) for statement in _BOOKKEEPING}


def test_a_lost_database_is_rebuilt_from_the_lake(environment: dict[str, str], lake: Lake) -> None:
    """With corrections, a rename, an export of partial checks and a check over midnight."""
    fill(lake)
    put_year(lake)
    consume(environment)
    before = content(environment)
    assert 25 < len(before["guest_checks"])

    execute(environment, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    with_tables(environment)
    running = subprocess.Popen([sys.executable, "-m", "consumer", "run"], env=environment)
    try:
        said = succeed("consumer", "rebuild", environment=environment)
    finally:
        running.terminate()
        assert 0 == running.wait(30)
    assert "no difference" in said
    assert before == content(environment)
