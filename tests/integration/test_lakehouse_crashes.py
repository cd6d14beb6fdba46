"""An exporter ends at each step of a batch; one rerun mends it, and `clean` takes the leftovers.

One that is really killed, on the lake in S3, is in `test_lakehouse_commands.py`.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from lakehouse.clean import Ages, Cleaned, clean
from lakehouse.locks import exporting
from tests.support.crashes import STEPS, crashing_when
from tests.support.lakehouses import Lakehouse, execute, folder_lakehouse
from tests.support.samples import checks, staged, usual_check
from tests.support.warehouse import Warehouse

AT_ONCE = Ages(keep=timedelta(0), spare=timedelta(0))


@pytest.fixture
def lakehouse(warehouse: Warehouse, tmp_path: Path) -> Iterator[Lakehouse]:
    with folder_lakehouse(warehouse.settings, tmp_path) as opened:
        execute(opened, "DELETE FROM lakehouse_changes")
        yield opened


def test_whatever_step_an_exporter_ends_at_the_next_one_makes_it_right(
    warehouse: Warehouse, lakehouse: Lakehouse
) -> None:
    """And `clean` removes what the crashed ones left, and nothing that is needed."""
    for number, step in enumerate(STEPS):
        record = usual_check(1, opnBusDt="2024-01-01", subTtl=number)
        record["lastUpdatedUTC"] = f"2024-01-01T12:{number:02}:00"
        warehouse.load(staged(checks(record), number=number))
        with crashing_when(step):
            lakehouse.export()
        lakehouse.export()
        lakehouse.assert_equal(["guest_checks", "detail_lines", "daily_revenue"])
    lakehouse.assert_equal()
    before = objects(lakehouse)
    told = clean_now(lakehouse, dry_run=True)
    assert before == objects(lakehouse)
    assert told == clean_now(lakehouse, dry_run=False)
    # Of six exports that wrote four files or more, the data of one is left.
    data = {key for key in objects(lakehouse) if key.endswith(".parquet")}
    assert len(data) == 4 + 1, data
    assert before - objects(lakehouse) == set(told.keys)
    lakehouse.assert_equal()
    assert 0 == clean_now(lakehouse, dry_run=True).objects


def objects(lakehouse: Lakehouse) -> set[str]:
    return {stored.key for stored in lakehouse.place.lake.objects()}


def clean_now(lakehouse: Lakehouse, *, dry_run: bool) -> Cleaned:
    lock = partial(exporting, lakehouse.locks)
    return clean(lakehouse.place, lock, AT_ONCE, dry_run=dry_run)
