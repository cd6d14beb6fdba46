"""Whatever was loaded, with exports in between: the Iceberg tables hold the standing rows.

LAKEHOUSE_EXAMPLES says how many histories to try and lets a failing one be made smaller.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consumer.ingest.prepare import prepare
from tests.support.lakehouses import Lakehouse, folder_lakehouse
from tests.support.samples import ALIASES, NO_LIMIT
from tests.support.scenarios import histories
from tests.support.warehouse import Warehouse, open_warehouse

HUNTING = "LAKEHOUSE_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("LAKEHOUSE_EXAMPLES", "3"))

_runs = itertools.count(1)


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    with open_warehouse(database) as opened:
        yield opened


@pytest.fixture
def lakehouse(warehouse: Warehouse, tmp_path: Path) -> Iterator[Lakehouse]:
    with folder_lakehouse(warehouse.settings, tmp_path, lakehouse_batch_days=2) as opened:
        yield opened


def test_the_iceberg_tables_are_the_standing_rows(
    warehouse: Warehouse, lakehouse: Lakehouse
) -> None:
    """Full, partial and corrected checks that move to other days, quarantined and removed rows."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=not HUNTING,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if HUNTING else (Phase.generate,),
    )
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories(f"l{next(_runs)}"))
        for session, numbers in history.batches:
            batch = [
                prepare(history.versions[number].fetched, ALIASES, NO_LIMIT).document
                for number in numbers
            ]
            warehouse.load(*batch, session=session)
            if data.draw(st.integers(0, 2)) == 0:
                lakehouse.export()
        lakehouse.export()
        lakehouse.assert_equal()

    holds()
