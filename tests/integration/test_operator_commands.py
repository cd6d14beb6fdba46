"""The operator's commands when something is down, when two run at once, and when nobody reads."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from consumer.aws.s3 import open_lake
from consumer.cli import cli
from consumer.errors import StorageUnavailable
from consumer.load.migrations.migrate import migrate
from consumer.metrics import REGISTRY
from consumer.operate import watch
from consumer.settings import ConsumerSettings, DatabaseSettings
from schemas.keys import api_key
from schemas.registry import Source
from tests.conftest import Lake
from tests.support.dead_letters import counts, send_dead_letters
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, query, succeed, until
from tests.support.samples import checks, full_check, json_bytes

Command = Callable[..., Result]


def migrated(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Take on an environment and create its tables."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    migrate(DatabaseSettings())


def asked_since(environment: dict[str, str], moment: datetime) -> bool:
    """Say whether a command asked the ledger after a moment."""
    asked = query(
        environment,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'coco-ingest%' "
        f"AND datname = current_database() AND query_start > '{moment.isoformat()}'",
    )
    return asked != [(0,)]


@pytest.fixture
def command(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Give a function that runs a command of the consumer here; other settings by name."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def invoke(*arguments: str, **changed: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in changed.items():
                patch.setenv(name, value)
            result = CliRunner().invoke(cli, arguments)
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result

    return invoke


@pytest.mark.parametrize(
    "arguments",
    [["status", "--json"], ["drift"], ["reconcile"], ["dlq", "replay", "--wait"]],
)
def test_without_a_database_a_command_says_so_and_exits_1(
    command: Command, unused_tcp_port: int, arguments: list[str]
) -> None:
    result = command(*arguments, DB_HOST="127.0.0.1", DB_PORT=str(unused_tcp_port))
    assert result.exit_code == 1
    assert "PostgreSQL is not available" in result.stderr
    if "--json" in arguments:
        said = json.loads(result.stdout)
        assert said["queue"] == {"visible": 0, "in_flight": 0, "delayed": 0}
        assert said["objects"] is None


def test_without_aws_commands_say_so_and_exit_1_within_seconds(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    migrated(environment, monkeypatch)
    away = environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{unused_tcp_port}"}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "consumer", *arguments],
            env=away,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in (["reconcile"], ["dlq", "list"])
    ]
    for process in running:
        _, told = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 1
        assert "Could not connect to the endpoint" in told
        assert "Traceback" not in told


def test_status_tells_depths_states_and_the_last_error(command: Command, lake: Lake) -> None:
    migrate(DatabaseSettings())
    send_dead_letters(lake, 3)
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody="x", DelaySeconds=900)
    said = json.loads(command("status", "--json").stdout)
    assert said["queue"] == {"visible": 0, "in_flight": 0, "delayed": 1}
    assert said["dlq"] == {"visible": 3, "in_flight": 0, "delayed": 0}
    assert (said["objects"], said["last_commit"], said["errors"]) == ([], None, [])
    shown = command("status").stdout
    assert "queue: 0 visible, 0 in flight, 1 delayed\n" in shown
    assert "nothing has been ingested yet" in shown


def test_objects_that_no_message_told_of_are_counted(
    command: Command, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the bucket's notification was deleted: all is green, and nothing arrives."""
    monkeypatch.setattr(watch, "_ARRIVING", timedelta())
    migrate(DatabaseSettings())
    today = datetime.now(UTC)
    missed = api_key(Source.GUEST_CHECKS, today.date(), "São João", today)
    old = api_key(Source.GUEST_CHECKS, date(2024, 1, 1), "São João", today)
    monkeypatch.setenv("KEY_TEMPLATES", "dados/{yyyy}/{mm}/{dd}/{endpoint}-{store}.json")
    other = f"dados/{today:%Y/%m/%d}/getChargeBack-001.json"
    for key in (missed, old, other, "raw/erp/export.json", "raw/erp/", "logs/errors/x.json"):
        lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=b"{}")
    lake.sqs.purge_queue(QueueUrl=lake.queue_url)
    told = json.loads(command("status", "--json").stdout)
    assert sorted(told["unreceived"]) == sorted([other, missed, "raw/erp/export.json"])
    assert "3 objects of the newest days never arrived" in command("status").stdout


async def test_the_watch_renews_its_metrics_and_survives_what_it_cannot_ask(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It only reports: a database that is away, or a fault of its own, ends nothing."""
    migrated(environment, monkeypatch)
    monkeypatch.setattr(watch, "_ARRIVING", timedelta())
    lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/export.json", Body=b"{}")
    has_looked = asyncio.Event()
    answers = iter((RuntimeError("a bug"), StorageUnavailable("away"), [{"kind": "missing"}]))

    async def read(_settings: DatabaseSettings) -> list[dict[str, Any]]:
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
            return answer
        # Cancelled here, where no session is open.
        has_looked.set()
        return await asyncio.Future[list[dict[str, Any]]]()

    monkeypatch.setattr(watch, "read_drift", read)
    settings = ConsumerSettings()
    async with open_lake(settings, 1) as opened:
        watching = asyncio.create_task(watch.keep_watch(settings, opened, 0.01), name="watch")
        async with asyncio.timeout(DEADLINE_SECONDS):
            await has_looked.wait()
        watching.cancel()
        await asyncio.wait([watching])
    assert REGISTRY.get_sample_value("coco_unreceived_objects")
    found = {
        kind: REGISTRY.get_sample_value("coco_drift_findings", {"kind": kind})
        for kind in ("missing", "retyped")
    }
    assert found == {"missing": 1, "retyped": 0}


def test_a_dead_letter_is_shown_with_its_bad_records_and_their_values(
    command: Command, environment: dict[str, str], lake: Lake
) -> None:
    """Field, value, rule and remedy: in the ledger, in the list, and in full from the error log."""
    migrate(DatabaseSettings())
    bad = full_check(2, subTtl="12,50", taxes=[{"taxNum": 1, "taxCollTtl": []}])
    documents = {
        "raw/erp/records.json": checks(full_check(1), bad),
        "raw/erp/root.json": checks(full_check(3), curUTC="yesterday"),
        "raw/erp/object.json": checks(full_check(4, taxes=7)),
    }
    for key, document in documents.items():
        lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=json_bytes(document))
    until(lambda: counts(lake, lake.queue_url)[0] == len(documents), "all are announced")
    succeed("consumer", "run", "--until-idle", "1", environment=environment)
    listed = {one["object_key"]: one for one in json.loads(command("dlq", "list", "--json").stdout)}
    told = {
        "raw/erp/records.json": ("guestChecks[1] (id 2): subTtl: ", "got '12,50'"),
        "raw/erp/root.json": ("curUTC is 'yesterday': ", "correct it at its source"),
        "raw/erp/object.json": ("taxes: expected a list", "got 7"),
    }
    for key, parts in told.items():
        assert [part for part in parts if part not in listed[key]["error_message"]] == []
        where = f"SELECT error_message FROM ingested_objects WHERE object_key = '{key}'"
        assert query(environment, where) == [(listed[key]["error_message"],)]
    assert "drift: " in command("status").stdout
    shown = json.loads(command("dlq", "show", listed["raw/erp/records.json"]["id"]).stdout)
    [record] = shown["records"]
    assert (record["path"], record["record_id"], shown["records_total"]) == (
        "guestChecks[1]",
        "2",
        1,
    )
    values = {error["location"]: error["value"] for error in record["errors"]}
    assert values == {"subTtl": "'12,50'", "taxes[0].taxCollTtl": "[]"}
    lake.s3.delete_object(Bucket=lake.bucket, Key=shown["error_log_key"])
    result = command("dlq", "show", shown["id"])
    assert json.loads(result.stdout)["records"] is None
    assert "the error log cannot be read" in result.stderr


def test_a_look_says_how_many_another_one_hides(command: Command, lake: Lake) -> None:
    """The race: two listings at once; neither sees what the other holds."""
    send_dead_letters(lake, 3)
    lake.sqs.receive_message(QueueUrl=lake.dlq_url, MaxNumberOfMessages=2, VisibilityTimeout=60)
    result = command("dlq", "list", "--json")
    hidden = 3 - len(json.loads(result.stdout))
    assert 1 <= hidden <= 2
    assert f"{hidden} dead letters are invisible now" in result.stderr


def test_nobody_reading_the_result_harms_nothing(environment: dict[str, str], lake: Lake) -> None:
    """What is typed as `consumer dlq replay | head -0`."""
    with_tables(environment)
    send_dead_letters(lake, 12)
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "dlq", "replay", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read().decode()
        process.wait(DEADLINE_SECONDS)
    assert told == ""
    assert ((12, 0), (0, 0)) == (counts(lake, lake.queue_url), counts(lake, lake.dlq_url))


def test_interrupting_the_waiting_keeps_what_was_replayed(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrated(environment, monkeypatch)
    send_dead_letters(lake, 3)
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "dlq", "replay", "--wait", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until(lambda: counts(lake, lake.dlq_url) == (0, 0), "the replay is done")
        [(moved_at,)] = query(environment, "SELECT clock_timestamp()")
        until(lambda: asked_since(environment, moved_at), "the command waits")
        process.send_signal(signal.SIGINT)
        said, told = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, told) == (130, "")
    assert ["waiting"] * 3 == [one["result"] for one in json.loads(said)["messages"]]
    assert (3, 0) == counts(lake, lake.queue_url)


def test_consumers_that_disagree_about_renames_are_told_of(
    command: Command, environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """Two consumers with different alias files would halve the amounts in silence."""
    assert command("migrate").exit_code == 0
    other = tmp_path / "aliases.toml"
    other.write_text('[getTransactions]\n"transactions.amount" = ["value"]\n')
    for day, settings in ((1, {}), (2, {"SCHEMA_ALIASES_FILE": str(other)})):
        assert "different alias files" not in command("status").output
        assert "different alias files" not in command("doctor").output
        key = f"raw/api_responses/getTransactions/busDt=2024-01-0{day}/storeId=1/a.json"
        lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=b'{"transactions": [{"value": 1}]}')
        succeed("consumer", "run", "--until-idle", "1", environment={**environment, **settings})
    assert "different alias files" in command("status").output
    assert len(json.loads(command("status", "--json").stdout)["alias_files"]) == 2
    assert "different alias files" in command("doctor").output
