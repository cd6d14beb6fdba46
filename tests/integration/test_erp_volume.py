"""The simulated ERP at its largest: a day of fifty thousand checks."""

from datetime import UTC, date, datetime

from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from schemas.sources import Source

DAY = date(2024, 1, 1)


def test_the_largest_day_has_fifty_thousand_checks_with_an_id_each() -> None:
    settings = SimulatorSettings(
        seed=2024,
        checks_per_day=50_000,
        closed_days_percent=0,
        clock=datetime(2024, 5, 5, tzinfo=UTC),
        revision=0,
        _env_file=None,
    )
    opened = {
        check["guestCheckId"]
        for check in Simulator(settings).records(Source.GUEST_CHECKS, "001", DAY)
        if check["opnBusDt"] == DAY.isoformat()
    }
    assert len(opened) == 50_000
