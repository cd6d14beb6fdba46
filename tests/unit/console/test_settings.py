"""The console's settings: where it listens, and as whom it reads."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from console.settings import ConsoleSettings

NEEDED = {"bucket_name": "lake", "queue_url": "http://sqs/main", "dlq_url": "http://sqs/dead"}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start from no settings at all, in a directory without `.env`."""
    for field in ConsoleSettings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def settings(**given: object) -> ConsoleSettings:
    return ConsoleSettings.model_validate(NEEDED | given)


def test_it_listens_on_loopback_unless_told_otherwise() -> None:
    assert (settings().console_host, settings().console_port) == ("127.0.0.1", 8090)


def test_it_reads_with_the_role_for_it_and_that_role_s_password_only() -> None:
    told = settings(db_user="owner", db_password="secret", console_db_user="reader")
    assert told.reading.conninfo["user"] == "reader"
    assert "password" not in told.reading.conninfo
    assert told.conninfo["user"] == "owner"
    named = settings(console_db_user="reader", console_db_password="other")
    assert named.reading.conninfo["password"] == "other"
    assert named.reading.conninfo["application_name"] == "coco-ingest-console"


def test_without_a_role_of_its_own_it_reads_as_db_user() -> None:
    told = settings(db_user="owner", db_password="secret")
    assert told.reading.conninfo["password"] == "secret"


def test_passwords_that_contradict_are_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    with pytest.raises(ValidationError, match="CONSOLE_DB_USER"):
        settings(console_db_password="x")
    with pytest.raises(ValidationError, match="leave one of them"):
        settings(
            console_db_user="reader",
            console_db_password="x",
            console_db_password_file=tmp_path / "password",
        )
