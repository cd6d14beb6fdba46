"""The largest day that the ERP can have, from its API into the tables."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack import api
from tests.support.programs import query, succeed, until

DAY, STORE = "2024-01-02", "99 CB CB"


@contextmanager
def busy_erp(checks_count: int, port: int, directory: Path) -> Iterator[dict[str, str]]:
    """Run an ERP whose stores are full, as a person would; give what leads to it."""
    settings = (f"checks_per_day={checks_count}", "clock=2026-01-01T12:00:00Z", "seed=2024")
    flags = [flag for setting in settings for flag in ("--set", setting)]
    leading = api.environment(port)
    spec = api.prepare(leading, port)
    command = [sys.executable, *spec.command[1:], *flags]
    process = subprocess.Popen(command, env=dict(spec.environment), cwd=directory)
    try:
        until(spec.is_ready, "the simulated ERP answers")
        yield leading
    finally:
        process.terminate()
        process.wait(10)


def pulled(environment: dict[str, str]) -> int:
    """Pull the day's checks and return the size of their answer."""
    pull = ("pull", "--from", DAY, "--store", STORE, "--endpoint", "getGuestChecks", "--json")
    told = json.loads(succeed("producer", *pull, environment=environment))
    assert (told["stored"], told["failed"]) == (1, 0)
    return int(told["stored_bytes"])


def test_a_day_of_fifty_thousand_checks_comes_in_one_answer(
    environment: dict[str, str], tmp_path: Path, unused_tcp_port: int
) -> None:
    """The largest that the simulator makes, 180 MB: within the default limits and times."""
    with busy_erp(50_000, unused_tcp_port, tmp_path) as leading:
        assert pulled({**environment, **leading}) > 150_000_000


def test_a_large_day_is_loaded_as_a_stream(
    environment: dict[str, str], tmp_path: Path, unused_tcp_port: int
) -> None:
    """Above STREAM_ABOVE_BYTES, pulled and loaded by the programs with their defaults."""
    succeed("consumer", "migrate", environment=environment)
    with busy_erp(6_000, unused_tcp_port, tmp_path) as leading:
        assert pulled({**environment, **leading}) > 16 * 2**20
    succeed("consumer", "run", "--until-idle", "1", environment=environment)
    ends = "SELECT state, quarantined FROM ingested_objects"
    assert query(environment, ends) == [("loaded", 0)]
    opened = f"SELECT count(*) FROM guest_checks WHERE opn_bus_dt = '{DAY}'"
    assert query(environment, opened) == [(6_000,)]
