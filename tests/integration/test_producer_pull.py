"""`producer pull`, as a process, against LocalStack and the simulated ERP."""

import gzip
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.registry import ENDPOINTS
from tests.conftest import Lake
from tests.support.producing import keys, producer, stamp, summary
from tests.support.programs import DEADLINE_SECONDS

Running = Callable[..., AbstractContextManager[Any]]


def test_a_pull_puts_one_object_per_store_day_and_endpoint_into_the_lake(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    two_days = ["pull", "--from", "2024-01-01", "--to", "2024-01-02", "--json"]
    result = producer(
        [*two_days, "--store", "99 CB CB", "--store", "São João"],
        environment,
        tmp_path,
    )
    assert (result.returncode, summary(result)["stored"]) == (0, 20), result.stderr

    stored = {}
    for key in keys(lake, API_PREFIX):
        identity = parse_key(key)
        assert isinstance(identity, ApiKey)
        stored[identity] = lake.s3.get_object(Bucket=lake.bucket, Key=key)
    assert stored.keys() == {
        ApiKey(endpoint.source, date(2024, 1, day), store)
        for endpoint in ENDPOINTS
        for day in (1, 2)
        for store in ("99 CB CB", "São João")
    }
    for identity, answer in stored.items():
        body = answer["Body"].read()
        document = json.loads(body)
        assert document.get("storeId", document.get("locRef")) == identity.store_id
        assert answer["ContentType"] == "application/json"
        assert answer["Metadata"]["endpoint"] == identity.source.value
        assert answer["Metadata"]["business-date"] == identity.bus_dt.isoformat()
        assert answer["Metadata"]["http-status"] == "200"
        assert int(answer["Metadata"]["duration-ms"]) >= 0
        assert datetime.fromisoformat(answer["Metadata"]["pulled-at"]).tzinfo is not None
        assert answer["Metadata"]["store"] in {"99%20CB%20CB", "S%C3%A3o%20Jo%C3%A3o"}
        assert answer["Metadata"]["sha-256"] == hashlib.sha256(body).hexdigest()


def test_pulling_a_finished_range_again_asks_nothing_and_writes_nothing(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """Asked to, it asks for everything again; as the ERP says the same, it writes nothing still."""
    arguments = ["pull", "--from", "2024-01-01", "--to", "2024-01-03", "--store", "São João"]
    assert producer(arguments, environment, tmp_path).returncode == 0
    before = {key: stamp(lake, key) for key in keys(lake, API_PREFIX)}
    counts = []
    for more in ([], ["--force"]):
        result = producer([*arguments, "--json", *more], environment, tmp_path)
        assert result.returncode == 0, result.stderr
        counted = summary(result)
        counts.append((counted["present"], counted["unchanged"], counted["stored"]))
    assert counts == [(15, 0, 0), (0, 15, 0)]
    assert before == {key: stamp(lake, key) for key in keys(lake, API_PREFIX)}
    assert len(before) == 15


def test_answers_stored_gzipped_hold_the_same_document(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    arguments = ["pull", "--from", "2024-01-01", "--store", "1", "--endpoint", "getChargeBack"]
    assert producer(arguments, environment | {"PULL_GZIP": "true"}, tmp_path).returncode == 0
    [key] = keys(lake, API_PREFIX)
    stored = lake.s3.get_object(Bucket=lake.bucket, Key=key)
    assert (key[-8:], stored["ContentEncoding"]) == (".json.gz", "gzip")
    assert json.loads(gzip.decompress(stored["Body"].read()))["storeId"] == "1"


def test_a_missing_bucket_is_named_and_the_exit_code_is_one(
    environment: dict[str, str], tmp_path: Path
) -> None:
    result = producer(
        ["pull", "--from", "2024-01-01", "--store", "1"],
        {**environment, "BUCKET_NAME": "no-such-bucket"},
        tmp_path,
    )
    assert result.returncode == 1
    assert "there is no bucket no-such-bucket" in result.stdout
    assert "Traceback" not in result.stderr


def test_an_erp_that_is_down_leaves_a_table_of_what_is_missing(
    environment: dict[str, str], lake: Lake, tmp_path: Path, unused_tcp_port: int
) -> None:
    unreachable = {
        **environment,
        "API_BASE_URL": f"http://127.0.0.1:{unused_tcp_port}",
        "PULL_MAX_ATTEMPTS": "1",
    }
    result = producer(["pull", "--from", "2024-01-01", "--store", "099"], unreachable, tmp_path)
    assert result.returncode == 1
    assert "0 of 5 stored" in result.stdout
    for endpoint in ENDPOINTS:
        assert endpoint.name in result.stdout
    assert keys(lake, API_PREFIX) == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_pull_keeps_what_it_has_and_says_so(
    environment: dict[str, str], lake: Lake, tmp_path: Path, sent: signal.Signals
) -> None:
    """The race: the signal arrives while requests and writes are under way."""
    arguments = ["pull", "--from", "2020-01-01", "--to", "2024-12-31", "--store", "1", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "producer", *arguments],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + DEADLINE_SECONDS
        # More than are under way at once (PULL_CONCURRENCY), so that one at least is counted.
        while len(keys(lake, API_PREFIX)) <= 8 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(sent)
        stdout, stderr = process.communicate(timeout=DEADLINE_SECONDS)

    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    counted = json.loads(stdout)
    assert counted["interrupted"] is True
    # A write that was cut off may have arrived without being counted; never the reverse.
    assert 1 <= counted["stored"] <= len(keys(lake, API_PREFIX)) < counted["total"]
    for key in keys(lake, API_PREFIX):
        json.loads(lake.s3.get_object(Bucket=lake.bucket, Key=key)["Body"].read())


def test_an_erp_that_answers_another_day_is_asked_again_and_reported_if_it_stays_so(
    environment: dict[str, str], lake: Lake, tmp_path: Path, running: Running
) -> None:
    """Lists of another day are never stored; checks are, and the command is not content."""
    day = ["pull", "--from", "2024-01-10", "--store", "São João", "--json"]
    quick = {"PULL_BACKOFF_INITIAL_SECONDS": "0.01", "PULL_MAX_ATTEMPTS": "4"}
    with running(faults_percent=100, fault_kinds="another_day", faults_in_a_row=9) as client:
        own = {**environment, **quick, "API_BASE_URL": f"http://127.0.0.1:{client.port}"}
        result = producer(day, own, tmp_path)
        failures = {each["endpoint"]: each["message"] for each in summary(result)["failures"]}
        assert (result.returncode, failures.keys()) == (1, {each.name for each in ENDPOINTS})
        assert failures["getTransactions"] == "the ERP answered with another day: 2024-01-03"
        doubt = failures["getGuestChecks"]
        assert doubt.startswith("stored, but 0 of ")
        assert "checks were opened or closed on 2024-01-10, the others on" in doubt
        assert "producer pull --force --from 2024-01-10" in doubt
        (stored,) = keys(lake, API_PREFIX)
        assert "getGuestChecks" in stored

    with running(faults_percent=100, fault_kinds="another_day", faults_in_a_row=2) as client:
        own = {**own, "API_BASE_URL": f"http://127.0.0.1:{client.port}"}
        result = producer([*day, "--force"], own, tmp_path)
        assert (result.returncode, summary(result)["stored"]) == (0, 5), result.stderr
