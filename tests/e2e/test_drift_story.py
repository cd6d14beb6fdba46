"""Five months in the middle of which the ERP changes: pulled, loaded, and nothing of it lost.

The ERP renames fields, adds some, drops some and puts numbers in quotes, each from another day on.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack import api
from devstack.demo.control import control
from devstack.demo.expectations import StoreDay, compare, expected_totals
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from schemas.registry import ENDPOINTS, Source
from tests.support.programs import query, succeed, until

DAYS_COUNT = 150
STORE = "São João 07"
FIRST_DAY = date(2024, 1, 1)
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(DAYS_COUNT)]
SEED = 2024
CHECKS_PER_DAY = 3
# The same as the settings of the ERP's process below; it changes what it shows, not what happened.
CLOCK = datetime(2026, 1, 1, 12, tzinfo=UTC)


# Half of it is over.
TAXATION_FROM = DAYS[75]
EMPLOYEE_FROM = DAYS[128]
CHANGES = {
    "ERP_SIM_TAXATION_FROM": str(TAXATION_FROM),
    "ERP_SIM_NEW_FIELDS_FROM": str(DAYS[90]),
    "ERP_SIM_QUOTED_FROM": str(DAYS[103]),
    "ERP_SIM_VANISHED_FROM": str(DAYS[115]),
    "ERP_SIM_EMPLOYEE_FROM": str(EMPLOYEE_FROM),
}
# Corrections come for up to two weeks.
CORRECTED_DAYS = DAYS[-14:]
# What an operator should read, by path of getGuestChecks. Shipped as an alias, `taxation` is none.
EXPECTED_OF_CHECKS = {
    ("guestChecks.loyaltyNum", "unknown"),
    ("guestChecks.detailLines.kdsStation", "unknown"),
    ("guestChecks.subTtl", "retyped"),
    ("guestChecks.numChkPrntd", "missing"),
    ("guestChecks.detailLines.seatNum", "missing"),
    ("guestChecks.empNum", "missing"),
    ("guestChecks.employeeNum", "unknown"),
    ("guestChecks.employeeNum", "suspected_rename"),
}
EXPECTED_OF_LISTS = {
    ("getFiscalInvoice", "fiscalInvoices.channel", "unknown"),
    ("getFiscalInvoice", "fiscalInvoices.amount", "retyped"),
    ("getChargeBack", "chargeBacks.channel", "unknown"),
    ("getChargeBack", "chargeBacks.amount", "retyped"),
    ("getTransactions", "transactions.channel", "unknown"),
    ("getTransactions", "transactions.amount", "retyped"),
    ("getCashManagementDetails", "cashManagement.channel", "unknown"),
    ("getCashManagementDetails", "cashManagement.openingBalance", "retyped"),
}


@dataclass(frozen=True)
class Story:
    """The environment of the programs, with the ERP that changes in it."""

    environment: Mapping[str, str]

    def pull(self, days: Sequence[date], *options: str) -> dict[str, Any]:
        """Let answers come into the lake; return the summary."""
        period = ("--from", str(days[0]), "--to", str(days[-1]), "--json")
        told = succeed("producer", "pull", *period, *options, environment=self.environment)
        return dict(json.loads(told))

    def load(self, **more: str) -> None:
        """Let what is announced come into the tables."""
        environment = {**self.environment, **more}
        succeed("consumer", "run", "--until-idle", "1", environment=environment)

    def drift(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return what `consumer drift` reports, by source, path and kind."""
        rows = json.loads(succeed("consumer", "drift", "--json", environment=self.environment))
        return {(row["source"], row["path"], row["kind"]): row for row in rows}

    def differences(self, days: Sequence[date]) -> list[str]:
        """Compare every store-day with the ERP's control totals; return what differs."""
        keys = ("host", "port", "user", "password")
        server = {key: self.environment[f"DB_{key.upper()}"] for key in keys}
        store_days = [StoreDay(STORE, day) for day in days]
        with psycopg.connect(dbname=self.environment["DB_NAME"], **server) as connection:
            compared = compare(expected_totals(self.environment, store_days), connection)
        assert len(compared) > 10
        # The ledger counts an object's records, whichever of them won.
        return [
            f"{one.name}: {one.differing}"
            for one in compared
            if not one.holds and not one.name.startswith("records of")
        ]

    def let_corrections_happen(self) -> None:
        """Bring the ERP to its next revision."""
        assert control(self.environment, "advance", "POST") == {"revision": 1}


@pytest.fixture
def story(environment: dict[str, str], tmp_path: Path, unused_tcp_port: int) -> Iterator[Story]:
    own = {
        **environment,
        "PULL_REQUESTS_PER_SECOND": "1000",
        "STORES": STORE,
    }
    settings = {
        **CHANGES,
        "ERP_SIM_SEED": str(SEED),
        "ERP_SIM_CHECKS_PER_DAY": str(CHECKS_PER_DAY),
        "ERP_SIM_CLOCK": CLOCK.isoformat(),
    }
    with changing_erp({**own, **settings}, unused_tcp_port, tmp_path) as address:
        yield Story({**own, **address})


@contextmanager
def changing_erp(
    environment: Mapping[str, str], port: int, directory: Path
) -> Iterator[dict[str, str]]:
    """Run `devstack api` with these settings; give the variables that lead to it."""
    spec = api.prepare(environment, port)
    process = subprocess.Popen(
        [sys.executable, *spec.command[1:]], env=dict(spec.environment), cwd=directory
    )
    try:
        until(spec.is_ready, "the simulated ERP answers")
        yield api.environment(port)
    finally:
        process.terminate()
        process.wait(10)


def facts(days: Sequence[date], revision: int = 0) -> dict[int, tuple[int, Decimal, int, int]]:
    """Return what happened in the store by check, whatever the ERP calls it by now."""
    settings = SimulatorSettings(
        seed=SEED, checks_per_day=CHECKS_PER_DAY, clock=CLOCK, revision=revision, _env_file=None
    )
    simulator = Simulator(settings)
    return {
        check["guestCheckId"]: (
            check["empNum"],
            Decimal(check["subTtl"]),
            len(check.get("taxes", ())),
            len(check.get("detailLines", ())),
        )
        for day in days
        for check in simulator.records(Source.GUEST_CHECKS, STORE, day)
    }


def loaded(environment: Mapping[str, str]) -> dict[int, tuple[int, Decimal, int, int]]:
    """Return the same from the tables: what has no column yet is in `extra`."""
    rows = query(
        environment,
        """
        SELECT guest_check_id, coalesce(emp_num, (c.extra ->> 'employeeNum')::bigint), sub_ttl,
            (SELECT count(*) FROM taxes AS t
             WHERE (t.store_id, t.guest_check_id) = (c.store_id, c.guest_check_id)
                AND t.removed_at IS NULL),
            (SELECT count(*) FROM detail_lines AS l
             WHERE (l.store_id, l.guest_check_id) = (c.store_id, c.guest_check_id)
                AND l.removed_at IS NULL)
        FROM guest_checks AS c WHERE removed_at IS NULL
        """,
    )
    return {row[0]: row[1:] for row in rows}


def nameless(environment: Mapping[str, str]) -> int:
    """Count the checks whose employee is known under the new name only."""
    [(count,)] = query(
        environment,
        "SELECT count(*) FROM guest_checks WHERE emp_num IS NULL AND extra ? 'employeeNum'",
    )
    return int(count)


def test_months_with_changes_in_the_middle_is_loaded_whole_and_the_drift_is_told(
    story: Story, tmp_path: Path
) -> None:
    """Every object is loaded, every number is the ERP's, and the remedy it names helps."""
    environment = story.environment
    succeed("consumer", "migrate", environment=environment)
    assert story.pull(DAYS)["stored"] == DAYS_COUNT * len(ENDPOINTS)
    story.load()

    states = "SELECT state, count(*), sum(quarantined) FROM ingested_objects GROUP BY state"
    ends = query(environment, states)
    # A check open at 04:00 is in the answers of two days; the older may come second.
    assert {state for state, _, _ in ends} <= {"loaded", "superseded"}
    assert sum(count for _, count, _ in ends) == DAYS_COUNT * len(ENDPOINTS)
    assert sum(quarantined for _, _, quarantined in ends) == 0
    assert story.differences(DAYS) == []
    assert loaded(environment) == facts(DAYS)

    drift = story.drift()
    of_checks = {row[1:] for row in drift if row[0] == Source.GUEST_CHECKS}
    assert of_checks >= EXPECTED_OF_CHECKS
    # A discount on an item without taxes has none either, which is seldom and no change.
    assert {path.rpartition(".")[0] for path, _ in of_checks - EXPECTED_OF_CHECKS} <= {
        "guestChecks.detailLines.discount"
    }
    assert drift.keys() >= EXPECTED_OF_LISTS
    suspected = drift[Source.GUEST_CHECKS, "guestChecks.employeeNum", "suspected_rename"]
    remedy = suspected["detail"].removeprefix("add to the alias file: [getGuestChecks] ")
    assert remedy == '"guestChecks.empNum" = ["employeeNum"]'
    aliases = tmp_path / "aliases.toml"
    aliases.write_text(f"[getGuestChecks]\n{remedy}\n")

    # As the README says: what was loaded without the name is announced once more.
    assert nameless(environment) > 0
    days = f"*/busDt={EMPLOYEE_FROM:%Y-%m}-*"
    prefix = "raw/api_responses/getGuestChecks/"
    succeed(
        *("producer", "publish", "--prefix", prefix, "--pattern", days), environment=environment
    )
    story.load(SCHEMA_ALIASES_FILE=str(aliases))
    assert nameless(environment) == 0
    assert loaded(environment) == facts(DAYS)

    # Corrections of the last days: what is in force counts, what was taken back is marked.
    story.let_corrections_happen()
    assert story.pull(CORRECTED_DAYS, "--force")["stored"] > 0
    story.load(SCHEMA_ALIASES_FILE=str(aliases))
    corrected = facts(CORRECTED_DAYS, revision=1)
    tables = loaded(environment)
    assert {check: tables[check] for check in corrected} == corrected
    assert story.differences(CORRECTED_DAYS) == []
