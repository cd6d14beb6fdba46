"""A document whose message is not ours any more is not committed, however late that shows."""

from collections.abc import Iterator

import pytest

from consumer.errors import LeaseLost
from consumer.load.document import LoadRequest
from consumer.load.transaction import load_batch
from tests.support.samples import checks, full_check, staged
from tests.support.warehouse import Warehouse, open_warehouse, requests


@pytest.fixture
def warehouse(database: dict[str, str]) -> Iterator[Warehouse]:
    with open_warehouse(database) as opened:
        yield opened


def test_a_lease_that_is_lost_during_the_transaction_undoes_it(warehouse: Warehouse) -> None:
    """The race: everything is written when the lease runs out, and only the commit is left."""
    ours = staged(checks(full_check(1)), key="raw/erp/a.json")
    lost = LoadRequest(staged(checks(full_check(2)), key="raw/erp/b.json"), lambda: False)
    session = warehouse.sessions[0]
    with pytest.raises(LeaseLost):
        warehouse.runner.run(load_batch(session, requests(ours, lost)))
    assert [] == warehouse.rows("guest_checks")
    assert [] == warehouse.rows("ingested_objects")
    warehouse.runner.run(load_batch(session, requests(ours)))
    assert [1] == [row["guest_check_id"] for row in warehouse.rows("guest_checks")]
