"""`consumer dlq` and the tables: what is written down, what a look heals, and without a database."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.cli import cli
from tests.conftest import Lake
from tests.support.dead_letters import counts, send_dead_letters
from tests.support.migrated import with_tables
from tests.support.programs import query

Dlq = Callable[..., tuple[int, Any, str]]
LETTERS = "SELECT message_id, state, error_code, redriven FROM dead_letters ORDER BY error_log_key"
ACTIONS = "SELECT kind, filter, reason, state FROM operator_actions ORDER BY action_id"
ITEMS = "SELECT action_id, state, acted_at IS NOT NULL FROM operator_action_items ORDER BY 1, 2"


@pytest.fixture
def dlq(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Dlq:
    """Give a function that runs `consumer dlq …` here; returns exit code, JSON and stderr."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, Any, str]:
        result = CliRunner().invoke(cli, ["dlq", *arguments, "--json"])
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result.exit_code, json.loads(result.stdout), result.stderr

    return run


def states(environment: dict[str, str]) -> list[str]:
    return [state for _, state, *_ in query(environment, LETTERS)]


def test_a_look_teaches_the_tables_which_then_answer(
    environment: dict[str, str], lake: Lake, dlq: Dlq
) -> None:
    """Without receiving: a message that somebody holds is listed all the same."""
    with_tables(environment)
    send_dead_letters(lake, 4)
    _, looked, _ = dlq("list")
    assert (["waiting"] * 4, 4) == (states(environment), len(looked))
    lake.sqs.receive_message(QueueUrl=lake.dlq_url, MaxNumberOfMessages=10)
    _, known, told = dlq("list")
    by_id = {one["id"]: one for one in known}
    for one in looked:
        for name in set(one) - {"failed_at", "sent_at"}:
            assert one[name] == by_id[one["id"]][name], name
        assert set(one) == set(by_id[one["id"]])
    assert "" == told


def test_what_was_not_confirmed_is_found_by_its_log_and_what_is_gone_is_gone(
    environment: dict[str, str], lake: Lake, dlq: Dlq
) -> None:
    with_tables(environment)
    send_dead_letters(lake, 1)
    row = (
        "INSERT INTO dead_letters (message_id, original_id, error_code, cause, error_message,"
        " error_log_key, attempts, failed_at, state, redriven) VALUES"
        " ({}, 'o', 'json_malformed', 'c', 'm', '{}', 1, now() - interval '{}', '{}', {}) RETURNING 1"
    )
    query(environment, row.format("NULL", "logs/errors/erp/0.json", "1 s", "unconfirmed", False))
    query(environment, row.format("NULL", "logs/may come.json", "9 min", "unconfirmed", False))
    query(environment, row.format("NULL", "logs/never sent.json", "2 h", "unconfirmed", False))
    query(environment, row.format("'r'", "logs/to be moved.json", "2 h", "unconfirmed", True))
    query(environment, row.format("'g'", "logs/was purged.json", "2 h", "waiting", False))
    _, [there], _ = dlq("list")
    found = dict(query(environment, "SELECT error_log_key, state FROM dead_letters"))
    assert {
        "logs/errors/erp/0.json": "waiting",
        "logs/may come.json": "unconfirmed",
        "logs/never sent.json": "gone",
        "logs/to be moved.json": "unconfirmed",
        "logs/was purged.json": "gone",
    } == found
    assert [(there["id"],)] == query(
        environment, "SELECT message_id FROM dead_letters WHERE state = 'waiting'"
    )


def test_a_replay_and_a_purge_are_written_down_message_by_message(
    environment: dict[str, str], lake: Lake, dlq: Dlq
) -> None:
    with_tables(environment)
    send_dead_letters(lake, 8)
    dlq("replay", "--error-code", "schema_invalid", "--reason", "an alias was added")
    dlq("purge", "--error-code", "json_malformed", "--yes")
    found = query(environment, "SELECT error_code, state FROM dead_letters ORDER BY 1, 2")
    assert [("json_malformed", "purged")] * 2 + [("schema_invalid", "replayed")] * 2 == found
    assert [
        ("replay", {"error_code": "schema_invalid"}, "an alias was added", "done"),
        ("purge", {"error_code": "json_malformed"}, None, "done"),
    ] == query(environment, ACTIONS)
    [(who,)] = query(environment, "SELECT DISTINCT actor FROM operator_actions")
    assert "@" in who
    assert [(1, "replayed", True)] * 2 + [(2, "purged", True)] * 2 == query(environment, ITEMS)


def test_a_replay_that_sqs_refuses_is_written_down_before_it_is_tried(
    environment: dict[str, str], lake: Lake, dlq: Dlq
) -> None:
    """The message is still there: the next look says so."""
    with_tables(environment)
    send_dead_letters(lake, 1)
    queue_url = environment["QUEUE_URL"]
    result = CliRunner().invoke(
        cli, ["dlq", "replay", "--json"], env={"QUEUE_URL": f"{queue_url}-none"}
    )
    assert 1 == result.exit_code
    assert [("replay", "failed")] == query(environment, "SELECT kind, state FROM operator_actions")
    assert [(1, "planned", False)] == query(environment, ITEMS)
    assert ["replayed"] == states(environment)
    dlq("list")
    assert ["waiting"] == states(environment)


def test_without_a_database_the_commands_work_and_say_what_is_missing(
    environment: dict[str, str], lake: Lake, dlq: Dlq, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_dead_letters(lake, 2)
    exit_code, listed, told = dlq("list")
    assert (0, 2) == (exit_code, len(listed))
    assert "run `consumer migrate`" in told
    monkeypatch.setenv("DB_HOST", "127.0.0.1")
    monkeypatch.setenv("DB_PORT", "1")
    exit_code, replayed, told = dlq("replay", "--limit", "1")
    assert (0, 1) == (exit_code, len(replayed["messages"]))
    assert 1 == told.count("nothing is written down there")
    for name in [name for name in environment if name.startswith("DB_")]:
        monkeypatch.delenv(name, raising=False)
    exit_code, purged, told = dlq("purge", "--yes")
    assert (0, 1, "") == (exit_code, len(purged["messages"]), told)
    assert (0, 0) == counts(lake, lake.dlq_url)
