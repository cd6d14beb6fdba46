"""A history in the middle of which the ERP changes: pulled, loaded, and nothing of it lost.

The ERP renames fields, adds some, drops some and puts numbers in quotes, each from another day on.
DRIFT_STORY_DAYS=365 makes it a year.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack import api
from devstack.demo.expectations import StoreDay, compare
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from schemas.sources import ENDPOINTS, Source
from tests.programs import query, succeed, until

DAYS_COUNT = int(os.environ.get("DRIFT_STORY_DAYS", "40"))
# What is usual is learned from what was loaded before: the first half, before anything changes.
DAYS_AT_ONCE = min(DAYS_COUNT // 2, 60)
STORE = "São João 07"
FIRST_DAY = date(2024, 1, 1)
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(DAYS_COUNT)]
SEED = 2024
CHECKS_PER_DAY = 6
# The same as the settings of the ERP's process below; it changes what it shows, not what happened.
CLOCK = datetime(2026, 1, 1, 12, tzinfo=UTC)


def part(share: float) -> str:
    """Return the day on which that share of the history is over."""
    return DAYS[int(DAYS_COUNT * share)].isoformat()


CHANGES = {
    "ERP_SIM_TAXATION_FROM": part(0.5),
    "ERP_SIM_NEW_FIELDS_FROM": part(0.6),
    "ERP_SIM_QUOTED_FROM": part(0.7),
    "ERP_SIM_VANISHED_FROM": part(0.8),
    "ERP_SIM_EMPLOYEE_FROM": part(0.85),
}
REVENUE = ("v_daily_revenue", "detail_lines", "taxes")
LISTS = ("fiscal_invoices", "charge_backs", "transactions", "cash_management_details")
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

    def pull_and_load(self, *options: str, **more: str) -> None:
        """Let the history come into the tables, some months at a time, oldest first."""
        environment = {**self.environment, **more}
        for start in range(0, DAYS_COUNT, DAYS_AT_ONCE):
            days = DAYS[start : start + DAYS_AT_ONCE]
            period = ("--from", str(days[0]), "--to", str(days[-1]))
            succeed("producer", "pull", *period, *options, environment=environment)
            succeed("consumer", "run", "--until-idle", "1", environment=environment)

    def drift(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return what `consumer drift` reports, by source, path and kind."""
        rows = json.loads(succeed("consumer", "drift", "--json", environment=self.environment))
        return {(row["source"], row["path"], row["kind"]): row for row in rows}

    def differences(self, *names: str) -> list[str]:
        """Compare every store-day with the ERP's control totals; return what differs.

        Args:
            names: Compare these only, by the beginnings of their names.
        """
        keys = ("host", "port", "user", "password")
        server = {key: self.environment[f"DB_{key.upper()}"] for key in keys}
        store_days = [StoreDay(STORE, day) for day in DAYS]
        with psycopg.connect(dbname=self.environment["DB_NAME"], **server) as connection:
            compared = compare(self.environment, connection, store_days)
        chosen = [one for one in compared if one.name.startswith(names)]
        assert len(chosen) >= len(names)
        return [f"{one.name}: {one.differing}" for one in chosen if not one.holds]

    def let_corrections_happen(self) -> None:
        """Bring the ERP to its next revision."""
        request = urllib.request.Request(  # noqa: S310 - our own API's address
            f"{self.environment['API_BASE_URL']}/_control/advance",
            method="POST",
            headers={"Authorization": f"Bearer {self.environment['API_TOKEN']}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            assert json.load(answer) == {"revision": 1}


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


def facts(revision: int = 0) -> dict[int, tuple[int, Decimal, int, int]]:
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
        for day in DAYS
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


def test_a_history_with_changes_in_the_middle_is_loaded_whole_and_the_drift_is_told(
    story: Story, tmp_path: Path
) -> None:
    """Every object is loaded, every number is the ERP's, and the remedy it names helps."""
    environment = story.environment
    succeed("consumer", "migrate", environment=environment)
    story.pull_and_load()

    states = "SELECT state, count(*), sum(quarantined) FROM ingested_objects GROUP BY state"
    ends = query(environment, states)
    # A check open at 04:00 is in the answers of two days; the older may come second.
    assert {state for state, _, _ in ends} <= {"loaded", "superseded"}
    assert sum(count for _, count, _ in ends) == DAYS_COUNT * len(ENDPOINTS)
    assert sum(quarantined for _, _, quarantined in ends) == 0
    assert story.differences(*REVENUE, *LISTS) == []
    assert loaded(environment) == facts()

    drift = story.drift()
    of_checks = {row[1:] for row in drift if row[0] == Source.GUEST_CHECKS}
    assert of_checks == EXPECTED_OF_CHECKS
    assert drift.keys() >= EXPECTED_OF_LISTS

    suspected = drift[Source.GUEST_CHECKS, "guestChecks.employeeNum", "suspected_rename"]
    remedy = suspected["detail"].removeprefix("add to the alias file: [getGuestChecks] ")
    assert remedy == '"guestChecks.empNum" = ["employeeNum"]'
    aliases = tmp_path / "aliases.toml"
    aliases.write_text(f"[getGuestChecks]\n{remedy}\n")
    before = nameless(environment)
    assert before > 0
    story.let_corrections_happen()
    story.pull_and_load("--force", SCHEMA_ALIASES_FILE=str(aliases))
    assert nameless(environment) < before
    assert loaded(environment) == facts(revision=1)
    # Rows of the lists that were taken back stay, marked; revenue counts what is in force.
    assert story.differences(*REVENUE) == []
