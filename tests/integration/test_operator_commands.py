"""The operator's commands when something is down, when two run at once, and when nobody reads."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from consumer.cli import cli
from consumer.load.migrate import migrate
from consumer.settings import DatabaseSettings
from tests.conftest import Lake
from tests.support.dead_letters import counts, send_dead_letters
from tests.support.programs import DEADLINE_SECONDS, query, succeed, until

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
