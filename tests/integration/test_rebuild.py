"""A year of a lake: its tables are made again when they are lost, and its numbers are explained."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

from tests.conftest import Lake
from tests.support.consuming import put
from tests.support.databases import execute
from tests.support.lake_loading import command, consumer_beside, load_new
from tests.support.migrated import with_tables
from tests.support.programs import query
from tests.support.storied import STORE, check, fill, key
from tests.support.tables import DATA_TABLES, Tables, looking
from tests.support.warehouse import open_warehouse

_DAYS = [date(2023, 1, 1) + timedelta(days=number) for number in range(0, 365, 8)]
_PLANTED = _DAYS[23]
# Columns that do not depend on when and in what order we ran.
_BOOKKEEPING = (
    "SELECT store_id, guest_check_id, as_of, patched FROM guest_checks ORDER BY 1, 2",
    "SELECT source, store_id, bus_dt, as_of, state, whole_as_of FROM store_days ORDER BY 1, 2, 3",
    "SELECT object_key, etag, source, store_id, bus_dt, records FROM ingested_objects ORDER BY 1, 2",
)


def year() -> Iterator[tuple[str, bytes]]:
    """Give a store's year: a field is renamed in July, days are corrected, exports fill in."""
    for number, day in enumerate(_DAYS):
        for version in range(2 if number % 5 == 3 else 1):
            checks = [_check(number, day, version), _check(1000 + number, day)]
            told = {"curUTC": f"{day}T2{version}:30:00", "locRef": STORE, "guestChecks": checks}
            yield key("getGuestChecks", str(day), str(version)), json.dumps(told).encode()
        if number % 10 == 4:
            patch = {"guestCheckId": 2000 + number, "tblName": f"table {number}"}
            told = {"curUTC": f"{day}T23:00:00", "locRef": STORE, "guestChecks": [patch]}
            yield f"raw/erp/{day}.json", json.dumps(told).encode()


def _check(number: int, day: date, version: int = 0) -> dict[str, Any]:
    net = 10 + 37.5 * version
    days = {"opnBusDt": str(day), "clsdBusDt": str(day)}
    one = check(2000 + number, version, **days, subTtl=net)
    one["lastUpdatedUTC"] = f"{day}T20:0{version}:00"
    if day.month >= 7:
        one["taxation"] = one.pop("taxes")
    return one


def put_year(lake: Lake) -> None:
    fill(lake)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: put(lake, *one), year()))


def content(environment: Mapping[str, str]) -> dict[str, list[Any]]:
    """Read all that does not depend on when we ran."""
    with looking(environment) as look:
        tables = {table: Tables(look).rows(table) for table in DATA_TABLES}
    return tables | {statement: query(environment, statement) for statement in _BOOKKEEPING}


def test_a_year_is_rebuilt_from_the_lake_and_a_change_in_it_explained(
    environment: dict[str, str], lake: Lake
) -> None:
    """With corrections, a rename, exports of partial checks and a check over midnight.

    One day of it says 37.50 more than it did: `history` tells which check, by which document.
    """
    put_year(lake)
    lake.sqs.purge_queue(QueueUrl=lake.queue_url)
    with open_warehouse(environment, sessions=1) as warehouse:
        load_new(warehouse, lake)
    before = content(environment)
    assert 2 * len(_DAYS) < len(before["guest_checks"])

    execute(environment, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    with_tables(environment)
    with consumer_beside(environment):
        code, said, errors = command(environment, "rebuild", "--rate", "1000")
    assert 0 == code, errors
    assert "no difference" in said
    assert before == content(environment)

    code, said, _ = command(environment, "history", "--store", STORE, "--day", str(_PLANTED))
    assert 0 == code
    assert f"{2000 + _DAYS.index(_PLANTED)}\tnet\t10.0\t47.5" in said
    assert "+37.5" in said
