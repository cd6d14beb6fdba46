"""`consumer dlq replay --wait` with a consumer at work, and with none."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from consumer.cli import cli
from consumer.load.migrations.migrate import migrate
from consumer.settings import DatabaseSettings
from schemas.envelopes import ObjectEvent, created_body
from tests.conftest import Lake
from tests.support.dead_letters import counts, send_dead_letters
from tests.support.programs import query, run, until


@contextmanager
def consuming(environment: dict[str, str]) -> Iterator[None]:
    """Run a consumer while the block runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"],
        env=environment | {"RECEIVE_WAIT_SECONDS": "1"},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.kill()


def document(check_id: int) -> bytes:
    check = {"guestCheckId": check_id, "lastUpdatedUTC": "2024-03-01T20:00:00"}
    root = {"curUTC": "2024-03-02T03:00:00", "locRef": "001", "guestChecks": [check]}
    return json.dumps(root).encode()


def send(lake: Lake, *keys: str, etag: str | None = None) -> None:
    """Dead-letter a message that announces these objects, as the redrive policy would."""
    records = []
    for key in keys:
        event = ObjectEvent(lake.bucket, key, "ObjectCreated:Put", etag=etag)
        records += json.loads(created_body(event))["Records"]
    body = json.dumps({"Records": records})
    lake.sqs.send_message(QueueUrl=lake.dlq_url, MessageBody=body)


def test_waiting_says_what_became_of_each_object_of_each_message(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    migrate(DatabaseSettings())
    for number, key in enumerate(("raw/erp/good.json", "raw/erp/also.json", "raw/erp/late.json")):
        lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=document(number))
    with consuming(environment):
        # What is in the ledger from before is no end of a replayed message.
        until(
            lambda: query(environment, "SELECT count(*) FROM ingested_objects") == [(3,)],
            "the objects are loaded",
        )
        send(lake, "raw/erp/good.json")
        send(lake, "raw/erp/also.json", "raw/erp/gone.json")
        send(lake, "raw/erp/late.json", etag="0" * 32)
        lake.sqs.send_message(QueueUrl=lake.dlq_url, MessageBody='{"Event": "s3:TestEvent"}')
        result = run("consumer", "dlq", "replay", "--wait", "--json", environment=environment)
    assert result.returncode == 1, result.stderr
    ends = {
        tuple((one["object_key"], one["result"], one["error_code"]) for one in message["objects"])
        for message in json.loads(result.stdout)["messages"]
    }
    assert ends == {
        (("raw/erp/good.json", "loaded", None),),
        (
            ("raw/erp/also.json", "loaded", None),
            ("raw/erp/gone.json", "dead_lettered", "object_missing"),
        ),
        (("raw/erp/late.json", "superseded", None),),
        (("", "ignored", None),),
    }


def test_without_a_consumer_waiting_ends_in_time_and_says_what_still_waits(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (environment | {"COLUMNS": "200"}).items():
        monkeypatch.setenv(name, value)
    migrate(DatabaseSettings())
    [dead_letter] = send_dead_letters(lake, 1)
    result = CliRunner().invoke(cli, ["dlq", "replay", "--wait", "--timeout", "1"])
    assert result.exit_code == 1
    assert result.stdout.startswith("replayed 1 messages: 1 waiting\n")
    assert dead_letter.key in result.stdout


def test_nothing_is_moved_when_the_ledger_cannot_be_asked(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    away = environment | {"DB_HOST": "127.0.0.1", "DB_PORT": str(unused_tcp_port)}
    for name, value in away.items():
        monkeypatch.setenv(name, value)
    send_dead_letters(lake, 1)
    result = CliRunner().invoke(cli, ["dlq", "replay", "--wait"])
    assert (result.exit_code, result.stdout) == (1, "replayed 0 messages\n")
    assert "PostgreSQL is not available" in result.stderr
    assert (1, 0) == counts(lake, lake.dlq_url)


def test_a_replay_whose_cause_is_not_mended_sends_each_once_and_ends(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consumer dead-letters each again within the second, and the copies are not replayed."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    migrate(DatabaseSettings())
    with consuming(environment):
        for number in range(3):
            lake.s3.put_object(Bucket=lake.bucket, Key=f"raw/erp/{number}.json", Body=b"{")
        until(lambda: counts(lake, lake.dlq_url) == (3, 0), "all are dead-lettered")
        listed = json.loads(
            run("consumer", "dlq", "list", "--json", environment=environment).stdout
        )
        result = run("consumer", "dlq", "replay", "--rate", "1", "--json", environment=environment)
        moved = json.loads(result.stdout)["messages"]
        assert {one["id"] for one in listed} == {one["id"] for one in moved}
        assert len(moved) == 3
        until(lambda: counts(lake, lake.dlq_url) == (3, 0), "all are dead-lettered again")
    again = json.loads(run("consumer", "dlq", "list", "--json", environment=environment).stdout)
    assert {one["original_id"] for one in listed} == {one["original_id"] for one in again}
    assert {one["id"] for one in listed}.isdisjoint(one["id"] for one in again)
