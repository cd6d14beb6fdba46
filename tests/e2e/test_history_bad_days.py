"""A history pulled from the simulated ERP on its bad days, by the programs alone."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from devstack import api
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.sources import ENDPOINTS, Source
from tests.conftest import Lake
from tests.programs import run, until

SEED, CHECKS_PER_DAY = 7, 3
STORES = ("001", "São João")
DAYS = tuple(date(2024, 1, 1) + timedelta(days=offset) for offset in range(100))
BAD_DAYS = {
    "ERP_SIM_SEED": str(SEED),
    "ERP_SIM_CHECKS_PER_DAY": str(CHECKS_PER_DAY),
    "ERP_SIM_FAULTS_PERCENT": "20",
    "ERP_SIM_FAULT_DELAY_SECONDS": "0.05",
    "ERP_SIM_RETRY_AFTER_SECONDS": "0",
}


@contextmanager
def failing_erp(environment: Mapping[str, str], port: int, directory: Path) -> Iterator[str]:
    """Run the simulated ERP on its bad days; give its address."""
    spec = api.prepare({**environment, **BAD_DAYS}, port)
    process = subprocess.Popen(
        [sys.executable, *spec.command[1:]], env=dict(spec.environment), cwd=directory
    )
    try:
        until(spec.is_ready, "the simulated ERP answers")
        yield api.environment(port)["API_BASE_URL"]
    finally:
        process.terminate()
        process.wait(10)


def documents(lake: Lake) -> dict[ApiKey, dict[str, object]]:
    """Read every answer in the lake; there is one of each."""
    found: dict[ApiKey, dict[str, object]] = {}
    # By endpoint, fewer than a page each: LocalStack loses what follows a page of such keys.
    prefixes = [f"{API_PREFIX}{endpoint.name}/" for endpoint in ENDPOINTS]
    pages = [lake.s3.list_objects_v2(Bucket=lake.bucket, Prefix=prefix) for prefix in prefixes]
    assert not any(page["IsTruncated"] for page in pages)
    for key in [entry["Key"] for page in pages for entry in page.get("Contents", ())]:
        identity = parse_key(key)
        if isinstance(identity, ApiKey):
            assert identity not in found
            body = lake.s3.get_object(Bucket=lake.bucket, Key=key)["Body"].read()
            found[identity] = json.loads(body, parse_float=Decimal)
    return found


def test_a_history_from_a_failing_erp_is_whole_and_has_the_erps_totals(
    environment: dict[str, str], lake: Lake, tmp_path: Path, unused_tcp_port: int
) -> None:
    token = tmp_path / "token"
    token.write_text(api.TOKEN, encoding="utf-8")
    with failing_erp(environment, unused_tcp_port, tmp_path) as address:
        pulling = {name: value for name, value in environment.items() if name != "API_TOKEN"} | {
            "API_BASE_URL": address,
            "API_TOKEN_FILE": str(token),
            "PULL_REQUESTS_PER_SECOND": "400",
            "PULL_BACKOFF_INITIAL_SECONDS": "0.05",
            "STORES": ",".join(STORES),
        }
        period = ("--from", str(DAYS[0]), "--to", str(DAYS[-1]))
        result = run("producer", "pull", *period, "--json", environment=pulling)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "stamina.retry_scheduled" in result.stderr

    stored = documents(lake)
    cells = {ApiKey(e.source, day, store) for e in ENDPOINTS for day in DAYS for store in STORES}
    assert stored.keys() == cells
    simulator = Simulator(
        SimulatorSettings(seed=SEED, checks_per_day=CHECKS_PER_DAY, _env_file=None)
    )
    for store in STORES:
        for day in DAYS:
            told = simulator.records(Source.GUEST_CHECKS, store, day)
            checks = stored[ApiKey(Source.GUEST_CHECKS, day, store)].get("guestChecks") or []
            assert isinstance(checks, list)
            assert [Decimal(str(check["subTtl"])) for check in told] == [
                Decimal(str(check["subTtl"])) for check in checks
            ]
