"""The producer's commands, as processes, against LocalStack and the simulated ERP."""

import gzip
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeGuard

import pytest

from schemas.envelopes import Ignored, ObjectEvent, decode_body
from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.sources import ENDPOINTS
from tests.conftest import Lake

DEADLINE_SECONDS = 60.0


def producer(
    arguments: list[str], environment: Mapping[str, str], cwd: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "producer", *arguments],
        env=dict(environment),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def keys(lake: Lake, prefix: str) -> list[str]:
    pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix)
    found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return [key for key in found if not key.endswith("/")]


def stamp(lake: Lake, key: str) -> tuple[str, object]:
    """Return what changes when an object is written again."""
    head = lake.s3.head_object(Bucket=lake.bucket, Key=key)
    return head["ETag"], head["LastModified"]


def summary(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(result.stdout)
    return document


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


def test_an_upload_stores_good_files_as_they_are_and_names_bad_ones(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    plain, packed = b'\xef\xbb\xbf{"curUTC": 1.50 }\r\n', gzip.compress(b'{"curUTC": 2}')
    (folder / "Relatório 1+2.json").write_bytes(plain)
    (folder / "b.json.gz").write_bytes(packed)
    (folder / "broken.json").write_bytes(b'{"curUTC":\n oops}')
    result = producer(["upload", "exports", "missing.json"], environment, tmp_path)

    assert result.returncode == 1
    assert "2 of 4 stored" in result.stdout
    assert "line 2, column 2" in " ".join(result.stdout.replace("│", " ").split())
    assert sorted(keys(lake, "raw/")) == ["raw/erp/Relatório 1+2.json", "raw/erp/b.json.gz"]
    first = lake.s3.get_object(Bucket=lake.bucket, Key="raw/erp/Relatório 1+2.json")
    second = lake.s3.get_object(Bucket=lake.bucket, Key="raw/erp/b.json.gz")
    assert (first["Body"].read(), first["ContentType"]) == (plain, "application/json")
    assert second["Body"].read() == packed
    assert (second["ContentType"], second["ContentEncoding"]) == ("application/json", "gzip")


def test_a_broken_document_is_uploaded_when_asked_for(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    (tmp_path / "broken.json").write_bytes(b"{oops")
    result = producer(
        ["upload", "broken.json", "--no-check", "--to", "raw/erp/tests"], environment, tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert keys(lake, "raw/") == ["raw/erp/tests/broken.json"]


def test_credentials_may_stand_in_the_env_file_alone(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """The AWS SDK does not read `.env`, so the producer hands the values over."""
    names = {name for name in environment if name.startswith("AWS_")} | {"BUCKET_NAME"}
    lines = [f"{name}={environment[name]}" for name in sorted(names)]
    (tmp_path / ".env").write_text("\n".join([*lines, "DB_HOST=unused"]), encoding="utf-8")
    (tmp_path / "a.json").write_bytes(b"{}")
    rest = {name: value for name, value in environment.items() if name not in names}
    result = producer(["upload", "a.json"], rest, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert keys(lake, "raw/") == ["raw/erp/a.json"]


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
        while not keys(lake, API_PREFIX) and time.monotonic() < deadline:
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


def received(lake: Lake, count: int) -> list[ObjectEvent]:
    """Take `count` messages off the queue, or as many as come in time, and read them."""
    events: list[ObjectEvent] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(events) < count and time.monotonic() < deadline:
        answer = lake.sqs.receive_message(
            QueueUrl=lake.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        for message in answer.get("Messages", ()):
            events += [event for event in decode_body(message["Body"]) if is_creation(event)]
            lake.sqs.delete_message(QueueUrl=lake.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return events


def is_creation(event: ObjectEvent | Ignored) -> TypeGuard[ObjectEvent]:
    return isinstance(event, ObjectEvent)


def test_objects_in_the_lake_are_announced_as_s3_would(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """Names with spaces, plus signs and accents; a dry run sends nothing."""
    names = ["a b.json", "1+2.json", "Relatório.json", "other.txt"]
    lake.s3.put_bucket_notification_configuration(Bucket=lake.bucket, NotificationConfiguration={})
    for name in names:
        lake.s3.put_object(Bucket=lake.bucket, Key=f"raw/erp/{name}", Body=b"{}")
    arguments = ["publish", "--prefix", "raw/", "--pattern", "*.json", "--since", "2024-01-01"]
    dry = producer([*arguments, "--dry-run"], environment, tmp_path)
    assert dry.returncode == 0, dry.stderr
    assert sorted(f"raw/erp/{name}" for name in names[:3]) == dry.stdout.splitlines()[:3]
    result = producer([*arguments, "--json", "--rate", "500"], environment, tmp_path)
    assert (result.returncode, summary(result)["stored"]) == (0, 3), result.stderr

    events = {event.key: event for event in received(lake, 3)}
    assert events.keys() == {f"raw/erp/{name}" for name in names[:3]}
    for key, event in events.items():
        head = lake.s3.head_object(Bucket=lake.bucket, Key=key)
        assert (event.bucket, event.size_bytes) == (lake.bucket, 2)
        assert (event.etag, event.event_time) == (head["ETag"].strip('"'), head["LastModified"])


def test_pull_and_upload_announce_by_themselves_what_the_bucket_does_not(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    lake.s3.put_bucket_notification_configuration(Bucket=lake.bucket, NotificationConfiguration={})
    publishing = environment | {"EVENTS": "publish"}
    (tmp_path / "a.json").write_bytes(b"{}")
    pull = ["pull", "--from", "2024-01-01", "--store", "1"]
    for arguments in (pull, pull, ["upload", "a.json"]):
        result = producer(arguments, publishing, tmp_path)
        assert result.returncode == 0, result.stderr
    announced = sorted(event.key for event in received(lake, 6))
    assert announced == sorted(keys(lake, "raw/"))
    assert len(announced) == 6


def test_what_could_not_be_announced_is_named_though_it_is_stored(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    publishing = environment | {"EVENTS": "publish", "QUEUE_URL": f"{lake.queue_url}-gone"}
    (tmp_path / "a.json").write_bytes(b"{}")
    result = producer(["upload", "a.json", "--json"], publishing, tmp_path)
    assert result.returncode == 1
    [failure] = summary(result)["failures"]
    assert failure["code"] == "queue_closed"
    assert "producer publish --prefix 'raw/erp/a.json'" in failure["message"]
    assert keys(lake, "raw/") == ["raw/erp/a.json"]


def test_a_lake_is_prepared_once_and_nothing_in_it_is_touched(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """A dry run creates nothing; the settings are advised on, never changed."""
    lake.s3.delete_object(Bucket=lake.bucket, Key="raw/erp/")
    lake.s3.put_object(Bucket=lake.bucket, Key="raw/", Body=b"kept")
    outputs = [
        producer(["init-lake", *more], environment, tmp_path).stdout
        for more in (["--dry-run"], ["--dry-run"], [], [])
    ]
    assert ["would create raw/erp/" in output for output in outputs] == [True, True, False, False]
    assert ["created raw/erp/" in output for output in outputs] == [False, False, True, False]
    assert "all folder markers are there" in outputs[3]
    assert lake.s3.get_object(Bucket=lake.bucket, Key="raw/")["Body"].read() == b"kept"
    assert lake.s3.head_object(Bucket=lake.bucket, Key="raw/erp/")["ContentLength"] == 0
    assert all("versioning: off" in output for output in outputs)
    assert "Status" not in lake.s3.get_bucket_versioning(Bucket=lake.bucket)

    lake.s3.put_bucket_versioning(Bucket=lake.bucket, VersioningConfiguration={"Status": "Enabled"})
    lake.s3.delete_public_access_block(Bucket=lake.bucket)
    output = producer(["init-lake"], environment, tmp_path).stdout
    assert "versioning: off" not in output
    assert "public access block: off" in output


def test_a_missing_bucket_cannot_be_prepared(environment: dict[str, str], tmp_path: Path) -> None:
    result = producer(["init-lake"], environment | {"BUCKET_NAME": "no-such-one"}, tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert "there is no bucket no-such-one" in result.stderr
