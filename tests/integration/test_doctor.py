"""`consumer doctor` on real servers: each misconfiguration is set up, and named with its remedy."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from consumer import settings
from consumer.cli import cli
from consumer.load.migrations.migrate import migrate
from consumer.operate.doctor import command as doctor_command
from tests.conftest import Lake
from tests.support.dead_letters import counts
from tests.support.migrated import with_tables
from tests.support.programs import query, run

Diagnosis = dict[tuple[str, str], str]
Diagnose = Callable[..., Diagnosis]


@pytest.fixture
def diagnose(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Diagnose:
    """Give a function that returns what is not fine: level and check to finding and remedy."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def look(**changed: str) -> Diagnosis:
        for name, value in changed.items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(cli, ["doctor", "--json"])
        assert isinstance(result.exception, SystemExit | None), result.exception
        said = json.loads(result.stdout)
        unwell = [one for one in said["findings"] if one["level"] != "ok"]
        assert said["ok"] == all(one["level"] != "problem" for one in unwell)
        assert result.exit_code == (0 if said["ok"] else 1)
        assert all(one["remedy"] for one in unwell), unwell
        found: Diagnosis = {}
        for one in unwell:
            key = (one["level"], one["check"])
            found[key] = f"{found.get(key, '')} {one['found']} -> {one['remedy']}"
        return found

    return look


def announce(lake: Lake, **changed: Any) -> None:
    """Replace the bucket's notification."""
    current = lake.s3.get_bucket_notification_configuration(Bucket=lake.bucket)
    [ours] = current["QueueConfigurations"]
    wanted: Any = {"QueueConfigurations": [ours | changed]}
    lake.s3.put_bucket_notification_configuration(
        Bucket=lake.bucket, NotificationConfiguration=wanted
    )


def set_attributes(lake: Lake, url: str, **values: str) -> None:
    attributes: Any = values
    lake.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def arn(lake: Lake, url: str) -> str:
    answer = lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return answer["Attributes"]["QueueArn"]


def test_a_deployment_as_the_hook_makes_it_is_fine_and_stays_as_it_is(
    environment: dict[str, str], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    migrate(settings.DatabaseSettings())
    lake.s3.put_object(Bucket=lake.bucket, Key="processed/x.json", Body=b"{}")
    for url in (lake.queue_url, lake.dlq_url):
        lake.sqs.send_message(QueueUrl=url, MessageBody="untouched")
    objects = lake.s3.list_objects_v2(Bucket=lake.bucket)["Contents"]
    result = run("consumer", "doctor", "--json", environment=environment)
    assert result.returncode == 0, result.stdout
    said = json.loads(result.stdout)
    assert said["ok"]
    assert ["health port"] == [one["check"] for one in said["findings"] if one["level"] != "ok"]
    assert objects == lake.s3.list_objects_v2(Bucket=lake.bucket)["Contents"]
    for url in (lake.queue_url, lake.dlq_url):
        assert (1, 0) == counts(lake, url)
        [message] = lake.sqs.receive_message(
            QueueUrl=url, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )["Messages"]
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_people_are_told_what_is_wrong_and_what_to_type(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 1
    assert "problem: schema: there are no tables yet\n  -> run `consumer migrate`" in result.stdout


def test_queues_without_redrive_room_and_time_are_named(lake: Lake, diagnose: Diagnose) -> None:
    announce(lake, QueueArn=arn(lake, lake.dlq_url))
    set_attributes(
        lake,
        lake.queue_url,
        RedrivePolicy="",
        VisibilityTimeout="5",
        ReceiveMessageWaitTimeSeconds="0",
    )
    set_attributes(lake, lake.dlq_url, MessageRetentionPeriod="3600")
    found = diagnose()
    assert "no redrive policy" in found["problem", "redrive"]
    assert "5 s, 30 s are needed" in found["problem", "visibility timeout"]
    assert "dead-letter queue 3600 s" in found["problem", "retention"]
    assert f"only to {arn(lake, lake.dlq_url)}" in found["problem", "notification"]
    assert ("warning", "polling") in found


def test_a_redrive_policy_to_another_queue_and_a_wrong_prefix_are_named(
    lake: Lake, diagnose: Diagnose
) -> None:
    other = lake.sqs.create_queue(QueueName=f"{lake.bucket}-other")["QueueUrl"]
    policy = {"deadLetterTargetArn": arn(lake, other), "maxReceiveCount": 5}
    set_attributes(lake, lake.queue_url, RedrivePolicy=json.dumps(policy), Policy="")
    announce(lake, Filter={"Key": {"FilterRules": [{"Name": "prefix", "Value": "incoming/"}]}})
    found = diagnose()
    lake.sqs.delete_queue(QueueUrl=other)
    assert f"{lake.bucket}-other, DLQ_URL to" in found["problem", "redrive"]
    assert "leave out raw/erp/x.json" in found["problem", "notification"]
    assert "does not let s3.amazonaws.com send" in found["problem", "queue policy"]


def test_too_few_receives_and_events_are_named(lake: Lake, diagnose: Diagnose) -> None:
    policy = {"deadLetterTargetArn": arn(lake, lake.dlq_url), "maxReceiveCount": 1}
    set_attributes(lake, lake.queue_url, RedrivePolicy=json.dumps(policy))
    announce(lake, Events=["s3:ObjectCreated:Put"])
    found = diagnose()
    assert "maxReceiveCount is 1" in found["problem", "redrive"]
    assert "CompleteMultipartUpload" in found["problem", "notification"]


def test_what_does_not_exist_is_named_by_its_setting(
    environment: dict[str, str], lake: Lake, diagnose: Diagnose
) -> None:
    found = diagnose(
        BUCKET_NAME=f"{lake.bucket}-gone",
        QUEUE_URL=f"{lake.queue_url}-gone",
        DB_NAME="nowhere",
    )
    assert "correct BUCKET_NAME" in found["problem", "bucket"]
    assert "correct QUEUE_URL" in found["problem", "queue"]
    assert "correct DB_NAME" in found["problem", "database"]
    assert ("unknown", "notification") in found
    assert ("unknown", "redrive") in found


def test_settings_that_cannot_work_are_named_beside_the_rest(
    lake: Lake, diagnose: Diagnose, tmp_path: Path
) -> None:
    aliases = tmp_path / "aliases.toml"
    aliases.write_text("[nonsense", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = diagnose(
            SCHEMA_ALIASES_FILE=str(aliases),
            HTTP_PORT=str(taken.getsockname()[1]),
            SHUTDOWN_TIMEOUT_SECONDS="10",
            DLQ_URL=lake.queue_url,
            DB_USER="stranger",
        )
    assert "aliases.toml" in found["problem", "aliases"]
    assert "in use" in found["problem", "health port"]
    assert "SHUTDOWN_TIMEOUT_SECONDS above 20" in found["problem", "stopping"]
    assert "the same queue" in found["problem", "addresses"]
    assert "DB_USER" in found["problem", "database"]


def test_while_all_is_down_all_is_named(diagnose: Diagnose, unused_tcp_port: int) -> None:
    nowhere = str(unused_tcp_port)
    found = diagnose(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{nowhere}", DB_HOST="127.0.0.1", DB_PORT=nowhere
    )
    for check in ("queue", "dead-letter queue", "bucket"):
        assert "AWS_ENDPOINT_URL" in found["problem", check]
    assert "start PostgreSQL" in found["problem", "database"]


def test_servers_that_never_answer_are_not_waited_for(
    diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_command, "_PROBE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        found = diagnose(
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}", DB_HOST="127.0.0.1", DB_PORT=port
        )
    for check in ("queue", "dead-letter queue", "bucket", "database"):
        assert "does not answer within 0.5 s" in found["problem", check]


def execute(environment: dict[str, str], *statements: str) -> None:
    """Run statements as the owner of the test's database."""
    with psycopg.connect(
        host=environment["DB_HOST"],
        port=environment["DB_PORT"],
        dbname=environment["DB_NAME"],
        user=environment["DB_USER"],
        password=environment["DB_PASSWORD"],
        autocommit=True,
    ) as connection:
        for statement in statements:
            connection.execute(
                sql.SQL(statement).format(database=sql.Identifier(environment["DB_NAME"]))
            )


def test_tables_of_another_release_are_told_by_their_version(
    environment: dict[str, str], diagnose: Diagnose
) -> None:
    migrate(settings.DatabaseSettings())
    execute(environment, "UPDATE alembic_version SET version_num = '9999', oldest_schema = '9999'")
    assert "newer than this release" in diagnose()["problem", "schema"]


def test_a_user_without_rights_is_told_which_to_grant(
    environment: dict[str, str], diagnose: Diagnose
) -> None:
    migrate(settings.DatabaseSettings())
    execute(
        environment,
        "CREATE ROLE doctored LOGIN PASSWORD 'x' CONNECTION LIMIT 2",
        "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO doctored",
        "GRANT INSERT, UPDATE ON taxes TO doctored",
        "ALTER DATABASE {database} SET default_transaction_read_only = on",
    )
    try:
        found = diagnose(DB_USER="doctored", DB_PASSWORD="x")
    finally:
        execute(
            environment,
            "SET default_transaction_read_only = off",
            "DROP OWNED BY doctored",
            "DROP ROLE doctored",
        )
    assert "GRANT TEMPORARY" in found["problem", "database"]
    assert "read-only" in found["problem", "database"]
    assert "GRANT INSERT, UPDATE ON detail_lines TO doctored" in found["problem", "tables"]
    assert "GRANT INSERT, UPDATE, DELETE ON ingested_objects" in found["problem", "tables"]
    assert "on taxes" not in found["problem", "tables"]
    assert "DB_USER=" in found["warning", "tables"]
    assert "allows 2 sessions" in found["problem", "sessions"]
    assert [] != query(environment, "SELECT 1")


def test_a_column_that_is_not_there_is_named_at_the_start_and_by_the_doctor(
    environment: dict[str, str],
) -> None:
    """A contract names a field that no migration knows: that is no outage to wait for."""
    with_tables(environment)
    execute(environment, "ALTER TABLE taxes DROP COLUMN tax_rate")
    for command in (("run", "--until-idle", "1"), ("doctor",)):
        result = run("consumer", *command, environment=environment)
        assert result.returncode == 1
        told = " ".join((result.stdout + result.stderr).split())
        assert "lacks taxes.tax_rate" in told
        assert "run `consumer migrate`" in told
