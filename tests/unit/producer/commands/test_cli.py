"""What the command line refuses before anything is sent."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from producer.cli import cli
from producer.pulling.targets import Plan

SENT = "nothing may be sent"


@pytest.fixture(autouse=True)
def _no_sending(clean_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when the command gets as far as sending."""

    async def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError(SENT)

    monkeypatch.setattr("producer.app.run_pull", refuse)
    monkeypatch.setattr("producer.app.run_upload", refuse)
    monkeypatch.setattr("producer.app.run_daemon", refuse)
    monkeypatch.setattr("producer.app.run_publish", refuse)
    monkeypatch.setenv("BUCKET_NAME", "lake")
    monkeypatch.setenv("API_BASE_URL", "http://127.0.0.1:1")


PULL = ["pull", "--from", "2024-01-02"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*PULL, "--to", "2024-01-01", "--store", "1"], "--from 2024-01-02 is after --to"),
        ([*PULL, "--store", "1", "--endpoint", "nope"], "the endpoints are getGuestChecks"),
        (PULL, "no store to pull"),
        ([*PULL, "--stores-file", "missing.txt"], "--stores-file cannot be read"),
        (["pull", "--from", "01/02/2024", "--store", "1"], "01/02/2024"),
        (["pull", "--store", "1"], "--from"),
        (["publish", "--prefix", "logs/"], "must start with raw/"),
        (["publish", "--prefix", "raw/", "--since", "yesterday"], "yesterday"),
        (["run", "--every", "5", "--lookback", "1", "--store", "1"], "write it as 90s"),
        (["run", "--every", "5m", "--lookback", "1"], "no store to pull"),
        (["upload"], "FILE"),
        (["upload", "a.json", "--to", "processed/"], "must start with raw/"),
        (["upload", "a/x.json", "b/x.json"], "would both become raw/erp/x.json"),
    ],
)
def test_a_usage_error_exits_with_two_and_says_why(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_an_unset_variable_exits_with_two_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUCKET_NAME")
    result = CliRunner().invoke(cli, [*PULL, "--store", "1"])
    assert result.exit_code == 2
    assert "BUCKET_NAME is not set" in result.stderr


def test_stores_of_the_settings_are_used_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It gets past the refusals, to where this test's stand-in stops it."""
    Path(".env").write_text("STORES=001\n", encoding="utf-8")
    result = CliRunner().invoke(cli, PULL)
    assert isinstance(result.exception, AssertionError)
    assert str(result.exception) == SENT


def test_stores_come_from_a_file_and_the_command_line_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ids are free text, so `#` and commas are part of them; empty lines are not stores."""
    plans: list[Plan] = []

    async def note(_settings: object, plan: Plan, _tally: object, *, force: bool) -> None:
        assert force
        plans.append(plan)

    monkeypatch.setattr("producer.app.run_pull", note)
    file = tmp_path / "stores.txt"
    file.write_bytes("\ufeff#1, Rua\r\n\n São João \n001\n".encode())
    CliRunner().invoke(cli, [*PULL, "--store", "9", "--stores-file", str(file), "--force"])
    assert [plan.stores for plan in plans] == [("9", "#1, Rua", "São João", "001")]


def test_a_file_without_a_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "stores.txt"
    file.write_bytes(b"\n \n")
    result = CliRunner().invoke(cli, [*PULL, "--stores-file", str(file)])
    assert (result.exit_code, "holds no store" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "text"),
    [("stores.csv", "store_id\n001\n"), ("stores.txt", "001;Meireles\n002;Aldeota\n")],
)
def test_a_table_given_as_stores_file_is_named_as_such(
    tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    result = CliRunner().invoke(cli, [*PULL, "--stores-file", str(file)])
    assert (result.exit_code, "is a CSV table" in result.stderr) == (2, True)
