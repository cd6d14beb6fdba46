"""What can be changed about the chain while the ERP runs, and on its command line."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from devstack.cli import app
from devstack.erp.contract_control import Chain
from devstack.erp.meter import Meter
from devstack.erp.settings import SimulatorSettings, UnusableSettingError, settings_of

Running = Callable[..., AbstractContextManager[Any]]

REQUEST = {"busDt": "2024-01-02", "storeId": "001"}
PROBLEM = "application/problem+json"


def checks(client: Any) -> list[dict[str, Any]]:
    status, _, body = client.post("/res/getGuestChecks", REQUEST)
    assert status == 200
    return list(json.loads(body)["guestChecks"])


def test_volume_and_schema_change_while_the_erp_runs_and_come_back(running: Running):
    """The control totals follow the volume, and not the schema."""
    with running(checks_per_day=4, closed_days_percent=0) as client:
        before = checks(client)
        changed = client.post(
            "/_control/chain", {"checks_per_day": 2, "employee_from": "2024-01-02"}
        )
        assert json.loads(changed[2]) == {
            "checks_per_day": 2,
            "closed_days_percent": 0.0,
            "taxation_from": None,
            "employee_from": "2024-01-02",
            "new_fields_from": None,
            "quoted_from": None,
            "vanished_from": None,
        }
        fewer = [check for check in checks(client) if check["opnBusDt"] == "2024-01-02"]
        assert len(fewer) == 2
        assert all("employeeNum" in check and "empNum" not in check for check in fewer)
        totals = client.send("GET", "/_control/totals?storeId=001&busDt=2024-01-02")
        assert json.loads(totals[2])["revenue"]["checks"] <= 2
        told = json.loads(client.send("GET", "/_control/chain")[2])
        assert told == json.loads(changed[2])
        back = json.loads(client.send("DELETE", "/_control/chain")[2])
        assert (back["checks_per_day"], back["employee_from"]) == (4, None)
        assert checks(client) == before


def test_what_is_left_out_is_as_at_the_start_and_not_as_before(running: Running):
    with running(checks_per_day=4) as client:
        client.post("/_control/chain", {"checks_per_day": 2})
        answer = client.post("/_control/chain", {"taxation_from": "2024-01-01"})
        assert json.loads(answer[2])["checks_per_day"] == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"checks_per_day": 0},
        {"checks_per_day": "3"},
        {"checks_per_day": True},
        {"checks_per_day": 50_001},
        {"closed_days_percent": 101},
        {"taxation_from": "01/02/2024"},
        {"quoted_from": 0},
        {"speed": 1},
    ],
)
def test_a_chain_that_cannot_be_is_refused_and_changes_nothing(running: Running, wrong: Any):
    with running(checks_per_day=4) as client:
        assert client.post("/_control/chain", wrong)[:2] == (422, PROBLEM)
        assert json.loads(client.send("GET", "/_control/chain")[2])["checks_per_day"] == 4


@pytest.mark.usefixtures("settings_of")
def test_settings_are_written_as_assignments_by_either_name():
    settings = settings_of(
        ("checks_per_day=3", "ERP_SIM_QUOTED_FROM=2024-07-01", "fault_kinds=cut, html"),
        faults_percent=20,
        taxation_from=None,
    )
    assert (settings.checks_per_day, settings.quoted_from) == (3, date(2024, 7, 1))
    assert (settings.faults_percent, settings.taxation_from) == (20, None)
    assert [str(kind) for kind in settings.fault_kinds] == ["cut", "html"]


@pytest.mark.usefixtures("settings_of")
@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("speed=1", "the names are seed, "),
        ("seed", "the names are seed, "),
        ("checks_per_day=0", "checks_per_day: Input should be greater than"),
        ("quoted_from=soon", "quoted_from: Input should be a valid date"),
    ],
)
def test_an_assignment_that_cannot_be_is_named(assignment: str, said: str):
    with pytest.raises(UnusableSettingError, match=said):
        settings_of((assignment,))
    result = CliRunner().invoke(app, ["api", "--set", assignment])
    assert result.exit_code == 2


def test_every_setting_of_the_chain_that_can_change_is_one_of_the_simulators():
    for name, info in Chain.model_fields.items():
        assert info.default == SimulatorSettings.model_fields[name].default


def test_the_meter_tells_the_most_requests_of_any_second():
    now = [0.0]
    meter = Meter(lambda: now[0])
    for moment in (0.0, 0.5, 0.9, 1.4, 1.45, 5.0):
        now[0] = moment
        meter.note()
    assert meter.busiest == 4
