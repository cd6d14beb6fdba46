"""The producer's daemon, as a process, against LocalStack and the simulated ERP."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schemas.keys import API_PREFIX, ApiKey, parse_key
from tests.conftest import Lake
from tests.support.producing import keys
from tests.support.programs import DEADLINE_SECONDS, page, until


@pytest.fixture
def free_ports(unused_tcp_port_factory: Callable[[], int]) -> tuple[int, int]:
    """Give two ports that nobody listens on."""
    return unused_tcp_port_factory(), unused_tcp_port_factory()


def test_the_daemon_keeps_today_and_the_last_days_in_the_lake_and_stops_on_sigterm(
    environment: dict[str, str], lake: Lake, tmp_path: Path, unused_tcp_port: int
) -> None:
    """Rounds after the first write only what changed."""
    command = ["run", "--every", "1s", "--lookback", "2", "--store", "São João"]
    with subprocess.Popen(
        [sys.executable, "-m", "producer", *command, "--endpoint", "getFiscalInvoice"],
        env=environment | {"HTTP_PORT": str(unused_tcp_port)},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until(
                lambda: 'rounds_total{result="complete"} 3' in page(unused_tcp_port, "/metrics")[1],
                "three rounds",
            )
            assert page(unused_tcp_port, "/readyz") == (200, "ok\n")
            assert page(unused_tcp_port, "/healthz") == (200, "ok\n")
        finally:
            process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=DEADLINE_SECONDS)

    assert process.returncode == 0, stderr
    ends = [json.loads(line) for line in stderr.splitlines() if '"round_ended"' in line]
    assert len(ends) >= 3
    today = (datetime.now(UTC) - timedelta(hours=7)).date()
    listing = lake.s3.list_objects_v2(Bucket=lake.bucket, Prefix=API_PREFIX)
    stored = [parse_key(entry["Key"]) for entry in listing["Contents"] if entry["Size"]]
    days = {key.bus_dt for key in stored if isinstance(key, ApiKey)}
    # At 04:00 store time the day may have changed since the rounds.
    assert today - timedelta(days=1) in days
    assert days <= {today - timedelta(days=back) for back in range(4)}
    assert ends[0]["stored"] == 3
    assert sum(end["stored"] for end in ends) == len(stored)
    assert sum(end["unchanged"] for end in ends[1:]) > 0


@contextmanager
def daemon(
    environment: Mapping[str, str], directory: Path, port: int, *arguments: str
) -> Iterator["subprocess.Popen[str]"]:
    """Run a daemon that tells its metrics on `port`; killed at the end if it still runs."""
    command = [sys.executable, "-m", "producer", "run", "--every", "1s", *arguments]
    own = {**environment, "HTTP_PORT": str(port), "RUN_LEASE_SECONDS": "3"}
    with subprocess.Popen(
        command, env=own, cwd=directory, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def metric(port: int, name: str) -> float | None:
    """Return a metric's value, None while there is none."""
    lines = page(port, "/metrics")[1].splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), None)


def days_in(lake: Lake) -> set[date]:
    """Return the business dates of the answers in the lake."""
    found = [parse_key(key) for key in keys(lake, API_PREFIX)]
    return {key.bus_dt for key in found if isinstance(key, ApiKey)}


def stores_of_yesterday(lake: Lake) -> set[str]:
    """Return the stores with an answer for the day before the newest one.

    Rounds ask for the newest day first, then for the oldest: the first daemon is far from it.
    """
    found = [parse_key(key) for key in keys(lake, API_PREFIX)]
    yesterday = max(days_in(lake)) - timedelta(days=1)
    return {key.store_id for key in found if isinstance(key, ApiKey) and key.bus_dt == yesterday}


def test_two_daemons_never_pull_one_store_at_once_and_one_takes_over_from_the_killed(
    environment: dict[str, str], lake: Lake, tmp_path: Path, free_ports: tuple[int, int]
) -> None:
    """The first needs minutes for a round; the second leaves its store alone until it is dead."""
    slow = {**environment, "PULL_REQUESTS_PER_SECOND": "0.5"}
    shared, own = ("--store", "São João"), ("--store", "001")
    with ExitStack() as running:
        first = running.enter_context(
            daemon(slow, tmp_path, free_ports[0], *shared, "--lookback", "60")
        )
        until(lambda: bool(keys(lake, API_PREFIX)), "the first is in its round")
        assert days_in(lake).pop() > datetime.now(UTC).date() - timedelta(days=3), "today first"
        second = running.enter_context(
            daemon(environment, tmp_path, free_ports[1], *shared, *own, "--lookback", "1")
        )
        complete = 'coco_producer_rounds_total{result="complete"}'
        until(lambda: (metric(free_ports[1], complete) or 0) >= 3, "the second has had rounds")
        assert metric(free_ports[1], "coco_producer_stores_leased_elsewhere") == 1
        assert page(free_ports[1], "/readyz") == (200, "ok\n")
        assert stores_of_yesterday(lake) == {"001"}
        first.kill()
        until(lambda: stores_of_yesterday(lake) == {"001", "São João"}, "the store is taken over")
        second.send_signal(signal.SIGTERM)
        _, stderr = second.communicate(timeout=DEADLINE_SECONDS)
    assert second.returncode == 0, stderr
    told = [json.loads(line) for line in stderr.splitlines() if '"stores_leased_elsewhere"' in line]
    assert {tuple(line["stores"]) for line in told} == {("São João",)}
