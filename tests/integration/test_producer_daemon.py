"""The producer's daemon, as a process, against LocalStack and the simulated ERP."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.keys import API_PREFIX, ApiKey, parse_key
from tests.conftest import Lake

DEADLINE_SECONDS = 60.0


def page(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return 0, ""


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def test_the_daemon_keeps_today_and_the_last_days_in_the_lake_and_stops_on_sigterm(
    environment: dict[str, str], lake: Lake, tmp_path: Path, unused_tcp_port: int
) -> None:
    """Rounds after the first write only what changed."""
    command = ["run", "--every", "1s", "--lookback", "2", "--store", "São João"]
    with subprocess.Popen(
        [sys.executable, "-m", "producer", *command, "--endpoint", "getFiscalInvoice"],
        env=environment | {"PRODUCER_HTTP_PORT": str(unused_tcp_port)},
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
    ends = [json.loads(line) for line in stderr.splitlines() if '"round.ended"' in line]
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
