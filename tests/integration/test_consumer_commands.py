"""The consumer's small commands, and what is refused before anything is received."""

import json
import subprocess
import sys

import pytest

from schemas.envelopes import ObjectEvent, created_body
from tests.conftest import Lake
from tests.support.consuming import (
    CHECK,
    consume,
    depth,
    export,
    ledger,
    lose_events,
    put,
)
from tests.support.programs import run, succeed


def test_reconcile_announces_what_the_ledger_does_not_know_and_nothing_else(
    environment: dict[str, str], lake: Lake
) -> None:
    put(lake, "raw/erp/known.json", export(CHECK))
    consume(environment)
    put(lake, "raw/erp/lost ü+1.json", export(CHECK | {"guestCheckId": 5}))
    lose_events(lake, 1)
    rehearsed = succeed("consumer", "reconcile", "--dry-run", environment=environment)
    assert rehearsed == "raw/erp/lost ü+1.json\nwould announce 1 objects\n"
    assert depth(lake, lake.queue_url) == 0
    succeed("consumer", "reconcile", environment=environment)
    consume(environment)
    assert ledger(environment) == [
        ("raw/erp/known.json", "loaded", None),
        ("raw/erp/lost ü+1.json", "loaded", None),
    ]
    assert succeed("consumer", "reconcile", environment=environment) == "announced 0 objects\n"


def test_explain_says_what_would_be_done_and_touches_nothing(environment: dict[str, str]) -> None:
    event = ObjectEvent(environment["BUCKET_NAME"], "raw/erp/a b.json", "ObjectCreated:Put")
    result = run("consumer", "explain", environment=environment, stdin=created_body(event))
    explained = json.loads(result.stdout)
    assert explained["decision"] == "load"
    assert explained["records"][0]["key"] == "raw/erp/a b.json"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("QUEUE_URL", None, "QUEUE_URL is not set"),
        ("DB_PORT", "many", "DB_PORT:"),
        ("SCHEMA_ALIASES_FILE", "/nowhere.toml", "cannot read /nowhere.toml"),
    ],
)
def test_unusable_settings_are_named_before_anything_is_received(
    environment: dict[str, str], variable: str, value: str | None, said: str
) -> None:
    changed = {name: text for name, text in environment.items() if name != variable}
    if value is not None:
        changed[variable] = value
    result = run("consumer", "run", "--until-idle", "1", environment=changed)
    assert result.returncode == 2
    assert said in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.stderr


def test_a_consumer_without_tables_says_which_command_is_missing(
    environment: dict[str, str],
) -> None:
    result = run("consumer", "run", "--until-idle", "1", environment=environment)
    assert result.returncode == 1
    assert "run `consumer migrate`" in result.stderr.replace("\n", " ")


def test_an_object_that_is_gone_is_dead_lettered_as_missing(
    environment: dict[str, str], lake: Lake
) -> None:
    event = ObjectEvent(lake.bucket, "raw/erp/gone.json", "ObjectCreated:Put", etag="1")
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=created_body(event))
    consume(environment)
    assert ledger(environment) == [("raw/erp/gone.json", "dead_lettered", "object_missing")]


@pytest.mark.parametrize(
    ("imported", "spared"),
    [
        ("consumer.service", {"alembic", "sqlalchemy", "consumer.operate.proof"}),
        ("consumer.cli", {"psycopg", "aiobotocore", "consumer.app"}),
    ],
)
def test_a_command_starts_without_what_only_others_need(imported: str, spared: set[str]) -> None:
    """Alembic and SQLAlchemy cost as much as half of the rest; what asks no server needs little."""
    shown = f"import sys, {imported}; print({spared} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", shown], capture_output=True, check=True)
    assert b"set()" == found.stdout.strip()
