"""`consumer doctor --as`: what a role needs is tried, and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from consumer.cli import cli
from consumer.load.migrations.migrate import migrate
from consumer.operate.doctor import aws
from runtime.aws_clients import open_client
from tests.conftest import Lake
from tests.support.databases import conninfo
from tests.support.warehouse import database_settings

# Calls beside those that look for what can be tried
QUEUE = {"GetQueueAttributes main"}
RECEIVING = {"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"}
CALLS = {
    "run": {
        "HeadBucket", "ListObjectsV2", "HeadObject", "PutObject", "GetQueueAttributes main",
        "SendMessageBatch main", "SendMessageBatch dead", *(f"{name} main" for name in RECEIVING),
    },
    "operate": {
        "HeadBucket", "ListObjectsV2", "HeadObject", "GetBucketNotificationConfiguration",
        "GetQueueAttributes main", "GetQueueAttributes dead", "SendMessageBatch main",
        *(f"{name} dead" for name in RECEIVING),
    },
}  # fmt: skip


@pytest.fixture
def calls(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every call of AWS by its name, those of a queue with which."""
    made: set[str] = set()
    queues = {lake.queue_url: " main", lake.dlq_url: " dead"}

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        made.add(model.name + queues.get(params.get("QueueUrl", ""), ""))

    def opening(*arguments: Any) -> Any:
        opened = open_client(*arguments)

        class Noted:
            async def __aenter__(self) -> Any:
                client = await opened.__aenter__()
                client.meta.events.register("provide-client-params", note)
                return client

            async def __aexit__(self, *raised: object) -> Any:
                return await opened.__aexit__(*raised)

        return Noted()

    monkeypatch.setattr(aws, "open_client", opening)
    return made


@pytest.fixture
def operator(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """A database user who may read, forget drift, and write down what is done to dead letters."""
    migrate(database_settings(environment))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(**conninfo(environment), autocommit=True) as owner:
        owner.execute("CREATE ROLE watcher LOGIN PASSWORD 'x'")
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO watcher")
        owner.execute(
            "GRANT INSERT, UPDATE ON forgotten_drift, dead_letters, causes, operator_actions,"
            " operator_action_items TO watcher"
        )
        yield {"DB_USER": "watcher", "DB_PASSWORD": "x"}
        owner.execute("DROP OWNED BY watcher")
        owner.execute("DROP ROLE watcher")


def findings(*arguments: str) -> dict[str, set[str]]:
    """Return the checks by level."""
    result = CliRunner().invoke(cli, ["doctor", "--json", *arguments])
    assert isinstance(result.exception, SystemExit | None), result.exception
    found: dict[str, set[str]] = {}
    for one in json.loads(result.stdout)["findings"]:
        found.setdefault(one["level"], set()).add(one["check"])
    return found


def test_each_role_asks_for_what_it_needs_and_no_more(
    operator: dict[str, str], calls: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = findings("--as", "run")
    assert CALLS["run"] == calls
    assert "problem" not in service
    assert {"redrive", "retention"} == service["unknown"]
    assert "notification" not in service["ok"]
    calls.clear()
    for name, value in operator.items():
        monkeypatch.setenv(name, value)
    people = findings("--as", "operate")
    assert CALLS["operate"] == calls
    assert {"ok"} == people.keys()
    assert {"health port", "sessions", "stopping"}.isdisjoint(people["ok"])
    assert {"tables"} == findings("--as", "run")["problem"]
    assert {"tables"} == findings()["problem"]


def test_a_dead_letter_queue_that_is_not_there_is_told_though_nobody_looks(
    environment: dict[str, str], calls: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DLQ_URL", f"{environment['DLQ_URL']}-away")
    assert "dead-letter queue" in findings("--as", "run")["problem"]
