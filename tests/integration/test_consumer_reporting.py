"""What `consumer run` says while it works and at its end, and what it opens meanwhile."""

import json
import subprocess
import sys

from schemas.envelopes import ObjectEvent, created_body
from tests.conftest import Lake
from tests.support.consuming import CHECK, consume, dead_lettered, export, ledger, put
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, query, run, succeed

# Notes which files are opened from the moment on that messages are received.
WATCHED = """
import json, sys
from consumer.messages.worker import Worker
from consumer.__main__ import main
opened, watching, worker_run = [], [], Worker.run
async def run(self, *arguments):
    watching.append(True)
    try:
        await worker_run(self, *arguments)
    finally:
        watching.clear()
Worker.run = run
sys.addaudithook(
    lambda event, values: opened.append(str(values[0])) if event == "open" and watching else None
)
try:
    main()
finally:
    print("opened", json.dumps(opened))
"""


def test_progress_is_logged_and_a_summary_ends_the_run(
    environment: dict[str, str], lake: Lake
) -> None:
    with_tables(environment)
    put(lake, "raw/erp/good.json", export(CHECK))
    put(lake, "raw/erp/cut.json", export(CHECK)[:200])
    own = environment | {"PROGRESS_LOG_SECONDS": "0.05"}
    result = run("consumer", "run", "--until-idle", "1", environment=own)
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    told = [line for line in lines if line["event"] == "progress_made"]
    assert sum(line["objects"] for line in told) == 2
    assert sum(line["rows"] for line in told) == 4
    assert all({"megabytes", "lag_seconds", "queue_depth"} <= line.keys() for line in told)
    summary = dict(line.split("\t") for line in result.stdout.splitlines())
    assert float(summary.pop("seconds")) > 0
    assert summary == {
        "objects": "count",
        "loaded": "1",
        "dead_lettered": "1",
        "rows": "4",
        "megabytes": "0.0",
    }


def test_a_run_that_had_nothing_to_do_says_nothing(environment: dict[str, str]) -> None:
    with_tables(environment)
    assert succeed("consumer", "run", "--until-idle", "1", environment=environment) == ""


def test_nothing_is_opened_while_messages_are_worked_on(
    environment: dict[str, str], lake: Lake
) -> None:
    """What could be read at the start: with all file descriptors in use, work goes on."""
    with_tables(environment)
    put(lake, "raw/erp/good.json", export(CHECK))
    put(lake, "raw/erp/cut.json", export(CHECK)[:200])
    put(lake, "raw/erp/mixed.json", export(CHECK, CHECK | {"guestCheckId": "x"}))
    gone = ObjectEvent(lake.bucket, "raw/erp/gone.json", "ObjectCreated:Put", etag="1")
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=created_body(gone))
    result = subprocess.run(
        [sys.executable, "-c", WATCHED, "run", "--until-idle", "1"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    [opened] = [line for line in result.stdout.splitlines() if line.startswith("opened ")]
    assert json.loads(opened.removeprefix("opened ")) == []
    assert len(ledger(environment)) == 4


def test_an_archived_object_is_dead_lettered_at_once_and_loads_once_it_is_restored(
    environment: dict[str, str], lake: Lake
) -> None:
    body = export(CHECK)
    for key, storage in (("raw/erp/old.json", "GLACIER"), ("raw/erp/new.json", "STANDARD")):
        lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=body, StorageClass=storage)
    consume(environment)
    assert ledger(environment) == [
        ("raw/erp/new.json", "loaded", None),
        ("raw/erp/old.json", "dead_lettered", "object_archived"),
    ]
    [message] = dead_lettered(lake)
    reason = message["MessageAttributes"]["ErrorMessage"]["StringValue"]
    assert "restore it, then replay" in reason
    assert message["MessageAttributes"]["Attempts"]["StringValue"] == "1"


def test_a_second_bucket_is_served_where_a_setting_names_it(
    environment: dict[str, str], lake: Lake
) -> None:
    second = f"{lake.bucket}-second"
    lake.s3.create_bucket(Bucket=second)
    lake.s3.put_object(Bucket=second, Key="raw/erp/there.json", Body=export(CHECK))
    event = ObjectEvent(second, "raw/erp/there.json", "ObjectCreated:Put")
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=created_body(event))
    consume(environment)
    assert ledger(environment) == [("raw/erp/there.json", "dead_lettered", "unknown_source")]
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=created_body(event))
    consume(environment | {"OTHER_BUCKET_NAMES": f"alias-s3alias, {second}"})
    loaded = "SELECT bucket, object_key FROM ingested_objects WHERE state = 'loaded'"
    assert query(environment, loaded) == [(second, "raw/erp/there.json")]
