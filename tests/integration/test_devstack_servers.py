"""What the session's servers, and the init hook that wires them, promise to every other test."""

import json
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

import psycopg
import pytest

from schemas.keys import FOLDERS, RAW_PREFIX
from schemas.layouts import read_layout
from tests.conftest import HOOK, Lake, Servers


def received_keys(lake: Lake) -> list[str]:
    """Take everything from the main queue; return the announced keys."""
    keys: list[str] = []
    while messages := lake.sqs.receive_message(
        QueueUrl=lake.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
    ).get("Messages"):
        for message in messages:
            records = json.loads(message["Body"]).get("Records", [])
            keys += [record["s3"]["object"]["key"] for record in records]
    return keys


def attributes_of(lake: Lake, queue_url: str) -> dict[str, Any]:
    answer = lake.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
    return dict(answer["Attributes"])


def wire_again(lake: Lake, hook: ModuleType) -> None:
    hook.wire(lake.s3, lake.sqs, hook.Names(lake.bucket, lake.bucket, f"{lake.bucket}-dlq"))


def test_the_hooks_folders_and_prefix_are_those_of_the_schemas(hook: ModuleType) -> None:
    """The hook stands alone and cannot import them."""
    assert hook.FOLDERS == FOLDERS
    assert hook.WATCHED_PREFIX == RAW_PREFIX
    plain, checks = "raw/{store}/{day}/{endpoint}.json", "getGuestChecks=a/{day}, v2.json"
    templates = ["", plain, f"dados/{{endpoint}}/x-{{store}}, erp=dados/x/{{name}},{plain}"]
    for setting in (*templates, json.dumps([plain, checks]), "{store}/{day}/{endpoint}"):
        assert hook.watched_prefixes(setting) == read_layout(setting).prefixes


def test_the_lake_announces_raw_objects_and_nothing_else(lake: Lake) -> None:
    """Folder markers were made before the notification; other prefixes are not watched."""
    lake.s3.put_object(Bucket=lake.bucket, Key="processed/a.json", Body=b"{}")
    lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/a.json", Body=b"{}")
    assert received_keys(lake) == ["raw/erp/a.json"]


def test_the_folders_are_there(lake: Lake) -> None:
    listed = lake.s3.list_objects_v2(Bucket=lake.bucket)["Contents"]
    assert {entry["Key"] for entry in listed} == set(FOLDERS)


def test_the_queues_have_the_attributes_that_the_consumer_relies_on(lake: Lake) -> None:
    queue, dlq = attributes_of(lake, lake.queue_url), attributes_of(lake, lake.dlq_url)
    assert queue["VisibilityTimeout"] == "60"
    assert queue["ReceiveMessageWaitTimeSeconds"] == "20"
    assert json.loads(queue["RedrivePolicy"])["maxReceiveCount"] in (5, "5")
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"] == dlq["QueueArn"]
    assert dlq["MessageRetentionPeriod"] == "1209600"
    assert int(queue["MessageRetentionPeriod"]) < int(dlq["MessageRetentionPeriod"])


def test_only_s3_on_behalf_of_this_bucket_may_send(lake: Lake) -> None:
    queue = attributes_of(lake, lake.queue_url)
    [statement] = json.loads(queue["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Resource"] == queue["QueueArn"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{lake.bucket}"}}


def test_wiring_again_repairs_what_drifted_and_announces_no_folder(
    lake: Lake, hook: ModuleType
) -> None:
    """Attributes changed by hand, a folder and the notification removed."""
    before = attributes_of(lake, lake.queue_url)
    drifted = {"VisibilityTimeout": "7", "RedrivePolicy": "", "Policy": ""}
    lake.sqs.set_queue_attributes(QueueUrl=lake.queue_url, Attributes=drifted)  # type: ignore[arg-type]  # the stub wants literals
    lake.s3.delete_object(Bucket=lake.bucket, Key="processed/")
    lake.s3.put_bucket_notification_configuration(Bucket=lake.bucket, NotificationConfiguration={})
    wire_again(lake, hook)
    after = attributes_of(lake, lake.queue_url)
    for name in ("VisibilityTimeout", "RedrivePolicy", "Policy"):
        assert after[name] == before[name]
    lake.s3.head_object(Bucket=lake.bucket, Key="processed/")
    lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/b.json", Body=b"{}")
    assert received_keys(lake) == ["raw/erp/b.json"]


def test_wiring_again_keeps_other_notifications_and_doubles_none(
    lake: Lake, hook: ModuleType
) -> None:
    current = lake.s3.get_bucket_notification_configuration(Bucket=lake.bucket)
    [ours] = current["QueueConfigurations"]
    theirs: Any = {
        "Id": "theirs",
        "QueueArn": ours["QueueArn"],
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "processed/"}]}},
    }
    lake.s3.put_bucket_notification_configuration(
        Bucket=lake.bucket, NotificationConfiguration={"QueueConfigurations": [theirs]}
    )
    wire_again(lake, hook)
    wire_again(lake, hook)
    after = lake.s3.get_bucket_notification_configuration(Bucket=lake.bucket)
    assert {entry["Id"] for entry in after["QueueConfigurations"]} == {"theirs", ours["Id"]}
    assert len(after["QueueConfigurations"]) == 2


def test_the_hook_runs_by_hand_against_an_endpoint(environment: dict[str, str], lake: Lake) -> None:
    """Names come from the last part of QUEUE_URL and DLQ_URL; running it twice is no error."""
    own = {
        **environment,
        "BUCKET_NAME": f"{lake.bucket}-hand",
        "QUEUE_URL": f"{lake.queue_url}-hand",
        "DLQ_URL": f"{lake.queue_url}-hand-dlq",
    }
    for _ in range(2):
        subprocess.run([sys.executable, HOOK], env=own, check=True, capture_output=True)
    listed = lake.s3.list_objects_v2(Bucket=own["BUCKET_NAME"])["Contents"]
    assert {entry["Key"] for entry in listed} == set(FOLDERS)
    for url in (own["QUEUE_URL"], own["DLQ_URL"]):
        lake.sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize("attempt", [1, 2])
def test_every_test_has_an_empty_database_of_its_own(
    database: dict[str, str], attempt: int
) -> None:
    with psycopg.connect(
        host=database["DB_HOST"],
        port=database["DB_PORT"],
        dbname=database["DB_NAME"],
        user=database["DB_USER"],
    ) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        assert tables.fetchall() == []
        connection.execute("CREATE TABLE only_once (attempt int)")


def test_the_stack_wires_the_names_it_announces(stack: Servers, aws: tuple[Any, Any]) -> None:
    """The queue's own URL is the announced one, so that programs may use either."""
    _, sqs = aws
    name = stack.environment["QUEUE_URL"].rpartition("/")[2]
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == stack.environment["QUEUE_URL"]


def test_no_variable_of_the_callers_leads_elsewhere(environment: dict[str, str]) -> None:
    """Whatever AWS_* this process has, a program gets the test's own."""
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert environment.get("AWS_PROFILE") is None
    assert os.environ.get("PATH", "") in environment["PATH"]


def test_psql_and_its_like_connect_by_variables_alone_and_nobody_without_the_password(
    stack: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a port of 127.0.0.1: not every tool knows sockets, and others may have accounts here."""
    for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"):
        monkeypatch.setenv(name, stack.environment[name])
    with psycopg.connect() as connection:
        [where] = connection.execute("SELECT host(inet_server_addr()), current_user").fetchall()
    assert where == ("127.0.0.1", stack.environment["DB_USER"])
    monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect()
