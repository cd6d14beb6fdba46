"""`consumer dlq replay` and `purge` on real queues: exactly what is meant, and nothing lost."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest
from typer.testing import CliRunner

from consumer.cli import cli
from tests.conftest import Lake
from tests.support.dead_letters import (
    FIRST_FAILURE,
    SentDeadLetter,
    bodies,
    counts,
    received,
    send_dead_letters,
)
from tests.support.programs import DEADLINE_SECONDS, until

MANY, SOME, FEW = 1000, 200, 40


@pytest.fixture
def dlq(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Give a function that runs `consumer dlq …` here, and returns exit code and stdout."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, answer: str | None = None) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["dlq", *arguments], input=answer)
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result.exit_code, result.stdout

    return run


def keys(said: str) -> list[str]:
    """Return the object keys in a command's JSON, sorted."""
    return sorted(message["object_key"] for message in json.loads(said)["messages"])


def test_of_a_thousand_dead_letters_exactly_those_of_a_code_are_replayed(
    lake: Lake, dlq: Callable[..., tuple[int, str]]
) -> None:
    dead_letters = send_dead_letters(lake, MANY)
    meant = [dead_letter for dead_letter in dead_letters if dead_letter.code == "schema_invalid"]
    rest = [dead_letter for dead_letter in dead_letters if dead_letter.code != "schema_invalid"]
    assert len(meant) == MANY // 4
    only = ("--error-code", "schema_invalid", "--json")

    exit_code, said = dlq("replay", *only, "--dry-run")
    assert exit_code == 0
    assert sorted(dead_letter.key for dead_letter in meant) == keys(said)
    assert (counts(lake, lake.queue_url), counts(lake, lake.dlq_url)) == ((0, 0), (MANY, 0))

    exit_code, said = dlq("replay", *only)
    assert exit_code == 0
    assert sorted(dead_letter.key for dead_letter in meant) == keys(said)
    assert bodies(meant) == received(lake, lake.queue_url)
    assert bodies(rest) == received(lake, lake.dlq_url)


@pytest.mark.parametrize(
    ("options", "means"),
    [
        (["--key-prefix", "raw/api_"], lambda one: one.key.startswith("raw/api_")),
        # What the redrive policy moved does not say when it failed, but was sent just now.
        (
            ["--since", "2024-06-01T05:00:00Z"],
            lambda one: one.code is None or one.failed_at.hour >= 5,
        ),
        (
            ["--error-code", "internal", "--key-prefix", "raw/erp/"],
            lambda one: one.code is None and one.key.startswith("raw/erp/"),
        ),
    ],
)
def test_filters_say_which_dead_letters_are_replayed_and_the_others_stay_receivable(
    lake: Lake,
    dlq: Callable[..., tuple[int, str]],
    options: Sequence[str],
    means: Callable[[SentDeadLetter], bool],
) -> None:
    dead_letters = send_dead_letters(lake, FEW)
    exit_code, said = dlq("replay", *options)
    assert (exit_code, said.split()[:2]) == (0, ["replayed", str(sum(map(means, dead_letters)))])
    assert bodies(filter(means, dead_letters)) == received(lake, lake.queue_url)
    assert bodies(one for one in dead_letters if not means(one)) == received(lake, lake.dlq_url)


def test_an_id_a_limit_and_a_rate_are_kept(lake: Lake, dlq: Callable[..., tuple[int, str]]) -> None:
    send_dead_letters(lake, FEW)
    _, listed = dlq("list", "--json")
    chosen = [dead_letter["id"] for dead_letter in json.loads(listed)[3:5]]
    _, said = dlq("replay", "--id", chosen[0], "--id", chosen[1], "--json")
    assert sorted(chosen) == sorted(message["id"] for message in json.loads(said)["messages"])
    _, said = dlq("replay", "--limit", "3", "--rate", "10")
    assert said.startswith("replayed 3 messages")
    assert (counts(lake, lake.queue_url), counts(lake, lake.dlq_url)) == ((5, 0), (FEW - 5, 0))


def test_a_purge_asks_first_and_deletes_what_it_asked_about(
    lake: Lake, dlq: Callable[..., tuple[int, str]]
) -> None:
    dead_letters = send_dead_letters(lake, FEW)
    only = ("--error-code", "records_invalid")
    exit_code, said = dlq("purge", *only, answer="n\n")
    assert (exit_code, "purged" in said, counts(lake, lake.dlq_url)) == (1, False, (FEW, 0))
    exit_code, said = dlq("purge", *only, answer="y\n")
    assert (exit_code, said.splitlines()[-1]) == (0, "purged 10 messages: 10 records_invalid")
    left = [one for one in dead_letters if one.code != "records_invalid"]
    assert bodies(left) == received(lake, lake.dlq_url)
    assert counts(lake, lake.queue_url) == (0, 0)


def test_a_dead_letter_that_was_redriven_shows_its_object_and_where_its_log_would_be(
    lake: Lake, dlq: Callable[..., tuple[int, str]]
) -> None:
    dead_letters = send_dead_letters(lake, 4)
    _, said = dlq("list", "--json")
    [found] = [dead_letter for dead_letter in json.loads(said) if dead_letter["redriven"]]
    assert found["object_key"] == dead_letters[3].key
    assert found["error_code"] == "internal"
    assert found["failed_at"] is None
    assert found["sent_at"] > FIRST_FAILURE.isoformat()
    day = found["sent_at"][:10].replace("-", "/")
    assert found["error_log_key"].startswith(f"logs/errors/erp/{day}/{found['id']}-")
    _, said = dlq("show", found["id"])
    assert json.loads(said)["body"] == dead_letters[3].body


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_replay_that_is_stopped_anywhere_loses_and_invents_nothing(
    environment: dict[str, str], lake: Lake, number: signal.Signals
) -> None:
    """The race: it dies between sending and deleting; a message may then be there twice."""
    dead_letters = send_dead_letters(lake, SOME)
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "dlq", "replay"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until(lambda: counts(lake, lake.queue_url)[0] >= 5, "the replay has begun")
        process.send_signal(number)
        said, told = process.communicate(timeout=DEADLINE_SECONDS)
    assert "Traceback" not in told
    moved, (visible, held) = received(lake, lake.queue_url), counts(lake, lake.dlq_url)
    assert set(moved) <= set(bodies(dead_letters))
    # One group of ten may have been sent and not yet deleted.
    assert SOME <= len(moved) + visible + held <= SOME + 10
    if number is signal.SIGINT:
        assert process.returncode == 130
        assert said.startswith("replayed ")
        assert held == 0
        assert set(moved) | set(received(lake, lake.dlq_url)) == set(bodies(dead_letters))
