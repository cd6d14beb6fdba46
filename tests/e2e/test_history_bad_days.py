"""A history pulled from the simulated ERP on its bad days and loaded, by the programs alone."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack import api
from devstack.demo.control import control
from devstack.demo.expectations import StoreDay, compare, expected_totals
from devstack.erp.faults import DEFAULT_KINDS
from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.registry import ENDPOINTS, Source
from tests.conftest import Lake
from tests.support.programs import query, run, succeed, until

STORES = ("001", "São João")
DAYS = tuple(date(2024, 1, 1) + timedelta(days=offset) for offset in range(40))
CELLS = {ApiKey(e.source, day, store) for e in ENDPOINTS for day in DAYS for store in STORES}
PER_SECOND = 110
# Requests are sent at least so far apart, but may arrive closer together.
BUNCHING = 1.3
BAD_DAYS = {
    "ERP_SIM_SEED": "7",
    "ERP_SIM_CHECKS_PER_DAY": "3",
    "ERP_SIM_CLOCK": "2026-01-01T12:00:00Z",
    "ERP_SIM_FAULTS_PERCENT": "20",
    "ERP_SIM_FAULT_DELAY_SECONDS": "0.05",
    "ERP_SIM_RETRY_AFTER_SECONDS": "0",
}


@pytest.fixture
def failing_erp(
    environment: dict[str, str], tmp_path: Path, unused_tcp_port: int
) -> Iterator[dict[str, str]]:
    """Run the simulated ERP on its bad days; give the environment for programs that use it."""
    token = tmp_path / "token"
    token.write_text(api.TOKEN, encoding="utf-8")
    with serving({**environment, **BAD_DAYS}, unused_tcp_port, tmp_path):
        # API_TOKEN is for the comparison; a producer takes it from the file, to renew it.
        yield {
            **environment,
            **api.environment(unused_tcp_port),
            "API_TOKEN_FILE": str(token),
            "PULL_CONCURRENCY": "16",
            "PULL_REQUESTS_PER_SECOND": str(PER_SECOND),
            "PULL_BACKOFF_INITIAL_SECONDS": "0.05",
            "STORES": ",".join(STORES),
        }


@contextmanager
def serving(environment: Mapping[str, str], port: int, directory: Path) -> Iterator[None]:
    spec = api.prepare(environment, port)
    process = subprocess.Popen(
        [sys.executable, *spec.command[1:]], env=dict(spec.environment), cwd=directory
    )
    try:
        until(spec.is_ready, "the simulated ERP answers")
        yield
    finally:
        process.terminate()
        process.wait(10)


def documents(lake: Lake) -> dict[ApiKey, dict[str, Any]]:
    """Read every answer in the lake; there is one of each."""
    found: dict[ApiKey, dict[str, Any]] = {}
    # By endpoint, fewer than a page each: LocalStack loses what follows a page of such keys.
    prefixes = [f"{API_PREFIX}{endpoint.name}/" for endpoint in ENDPOINTS]
    pages = [lake.s3.list_objects_v2(Bucket=lake.bucket, Prefix=prefix) for prefix in prefixes]
    assert not any(page["IsTruncated"] for page in pages)
    for key in [entry["Key"] for page in pages for entry in page.get("Contents", ())]:
        identity = parse_key(key)
        if isinstance(identity, ApiKey):
            assert identity not in found
            body = lake.s3.get_object(Bucket=lake.bucket, Key=key)["Body"].read()
            found[identity] = json.loads(body)
    return found


def is_answer(identity: ApiKey, document: dict[str, Any]) -> bool:
    """Say whether a document is what the endpoint answers for that store and day."""
    head = {"storeId": identity.store_id, "busDt": identity.bus_dt.isoformat()}
    if identity.source is Source.GUEST_CHECKS:
        head = {"curUTC": "2026-01-01T12:00:00", "locRef": identity.store_id}
    name = identity.source.entry.list_field
    rows = document.pop(name, None) or []
    return document == head and all(isinstance(row, dict) for row in rows)


def differences(environment: Mapping[str, str]) -> list[str]:
    """Compare the tables with the ERP's control totals, store by store and day by day."""
    server = {key: environment[f"DB_{key.upper()}"] for key in ("host", "port", "user", "password")}
    store_days = [StoreDay(store, day) for store in STORES for day in DAYS]
    with psycopg.connect(dbname=environment["DB_NAME"], **server) as connection:
        compared = compare(expected_totals(environment, store_days), connection)
    assert len(compared) > 15
    assert all(one.expected for one in compared)
    return [
        f"{one.name}: {one.differing}"
        for one in compared
        if not one.holds and not one.name.startswith("records of")
    ]


def test_a_history_from_a_failing_erp_is_whole_and_has_the_erps_totals(
    failing_erp: dict[str, str], lake: Lake
) -> None:
    """200 store-days of five endpoints, every fifth request failing, in every way there is."""
    succeed("consumer", "migrate", environment=failing_erp)
    pulling = {name: value for name, value in failing_erp.items() if name != "API_TOKEN"}
    period = ("--from", str(DAYS[0]), "--to", str(DAYS[-1]))
    result = run("producer", "pull", *period, "--json", environment=pulling)
    assert result.returncode == 0, result.stdout + result.stderr
    summary = json.loads(result.stdout)
    assert (summary["stored"], summary["failed"], summary["failures"]) == (len(CELLS), 0, [])

    report = control(failing_erp, "faults")
    assert report["injected"].keys() == set(DEFAULT_KINDS)
    assert 0.15 < sum(report["injected"].values()) / report["attempts"] < 0.25
    assert report["busiest_second"] <= PER_SECOND * BUNCHING

    stored = documents(lake)
    assert stored.keys() == CELLS
    assert [key for key, document in stored.items() if not is_answer(key, document)] == []

    succeed("consumer", "run", "--until-idle", "1", environment=failing_erp)
    ends = "SELECT state, count(*) FROM ingested_objects GROUP BY state"
    states = dict(query(failing_erp, ends))
    assert states.keys() <= {"loaded", "superseded"}
    assert sum(states.values()) == len(CELLS)
    assert differences(failing_erp) == []
