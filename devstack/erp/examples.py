"""Examples for the API's description, made by the simulator itself so that they are true."""

from datetime import UTC, date, datetime

import simplejson

from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from devstack.erp.ticket import Json
from devstack.erp.totals import control_totals
from schemas.registry import Source

_STORE = "99 CB CB"
_DAY = date(2024, 1, 2)  # every endpoint has rows


def example_answer(source: Source) -> Json:
    """Return the answer for one store and day, with its first record only."""
    settings = SimulatorSettings.model_construct(
        checks_per_day=3,
        closed_days_percent=0,
        clock=datetime(2024, 5, 5, 6, 6, 6, tzinfo=UTC),
    )
    answer: Json = simplejson.loads(Simulator(settings).answer(source, _STORE, _DAY))
    name = source.entry.list_field
    answer[name] = (answer.get(name) or [])[:1]
    return answer


def example_totals() -> Json:
    """Return the control totals of the same store and day, as the simulator is by default."""
    return control_totals(Simulator(SimulatorSettings.model_construct()), _STORE, _DAY)
