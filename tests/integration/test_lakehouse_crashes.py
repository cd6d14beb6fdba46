"""An exporter is killed at each step of a batch, on the lake in S3; one rerun mends it."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lakehouse import app
from lakehouse.feed import Selection
from lakehouse.settings import LakehouseSettings
from tests.conftest import Lake, Servers
from tests.support.exporters import STEPS, killed_when
from tests.support.lakehouses import Lakehouse, lakehouse_settings
from tests.support.samples import checks, staged, usual_check
from tests.support.warehouse import Warehouse


@pytest.fixture
def settings(warehouse: Warehouse, lake: Lake, stack: Servers) -> LakehouseSettings:
    aws = {name.lower(): value for name, value in stack.environment.items() if "AWS_" in name}
    own = lakehouse_settings(warehouse.settings, bucket_name=lake.bucket, **aws)
    return own.model_copy(update={"lakehouse_longest_export_hours": 0, "lakehouse_keep_days": 0})


@pytest.fixture
def lakehouse(settings: LakehouseSettings) -> Iterator[Lakehouse]:
    app.disable(settings)
    app.init(settings)
    with ExitStack() as opened:
        connection = opened.enter_context(app.opened(settings))
        locks = opened.enter_context(app.opened(settings))
        place = opened.enter_context(app.placed(settings, connection))
        yield Lakehouse(settings, place, locks)


def test_whatever_step_an_exporter_is_killed_at_the_next_one_makes_it_right(
    warehouse: Warehouse, lakehouse: Lakehouse, settings: LakehouseSettings
) -> None:
    """And `clean` removes what the killed ones left, and nothing that is needed."""
    for number, step in enumerate(STEPS):
        record = usual_check(1, opnBusDt="2024-01-01", subTtl=number)
        record["lastUpdatedUTC"] = f"2024-01-01T12:{number:02}:00"
        warehouse.load(staged(checks(record), number=number))
        assert killed_when(step, settings) == -signal.SIGKILL
        lakehouse.export()
        lakehouse.assert_equal(["guest_checks", "detail_lines", "daily_revenue"])
    lakehouse.assert_equal()
    before = objects(lakehouse)
    told = app.clean(settings, dry_run=True)
    assert before == objects(lakehouse)
    assert told == app.clean(settings, dry_run=False)
    # Of six exports that wrote four files or more, the data of one is left.
    data = {key for key in objects(lakehouse) if key.endswith(".parquet")}
    assert len(data) == 4 + 1, data
    assert before - objects(lakehouse) == set(told["keys"])
    lakehouse.assert_equal()
    assert app.verify(settings, Selection(), lambda *_: None)["differences"] == ()
    assert 0 == app.clean(settings, dry_run=True)["objects"]


def objects(lakehouse: Lakehouse) -> set[str]:
    return {stored.key for stored in lakehouse.place.lake.objects()}
