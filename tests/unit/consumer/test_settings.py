"""Settings: read from the environment and `.env`, refused at start when they cannot work."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import consumer
from consumer.policy import Reaction
from consumer.settings import ConsumerSettings, DatabaseSettings
from runtime.postgres import read_password
from schemas.codes import ErrorCode

PACKAGES = ("consumer", "lakehouse", "console")
NEEDED = {
    "BUCKET_NAME": "lake",
    "QUEUE_URL": "http://sqs/main",
    "DLQ_URL": "http://sqs/dead",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start from no settings at all, in a directory without `.env`."""
    for field in ConsumerSettings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.chdir(tmp_path)


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> ConsumerSettings:
    for name, value in (NEEDED | variables).items():
        monkeypatch.setenv(name, value)
    return ConsumerSettings()


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(ValidationError) as raised:
        settings(monkeypatch, **variables)
    return str(raised.value)


def test_bucket_and_queues_are_all_that_must_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings(monkeypatch)
    assert (told.bucket_name, told.queue_url, told.dlq_url) == tuple(NEEDED.values())


@pytest.mark.parametrize("name", NEEDED)
def test_what_must_be_told_is_named_when_it_is_not(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert name.lower() in refusal(monkeypatch, **{name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PORT", "0"),
        ("DB_PORT", "many"),
        ("MAX_IN_FLIGHT_MESSAGES", "0"),
        ("RECEIVE_WAIT_SECONDS", "21"),
        ("RECEIVE_WAIT_SECONDS", "0"),
        ("RETRY_BASE_SECONDS", "0"),
        ("RETRY_MAX_SECONDS", "43201"),
        ("SHUTDOWN_TIMEOUT_SECONDS", "0"),
        ("LOG_LEVEL", "loud"),
        ("AWS_ENDPOINT_URL", "localhost:4566"),
        ("DECODE_THREADS", "65"),
        ("FAILURE_BURST_MIN_OBJECTS", "-1"),
        ("FAILURE_BURST_PERCENT", "0"),
        ("FAILURE_BURST_PERCENT", "101"),
        ("FAILURE_BURST_WINDOW_SECONDS", "0"),
    ],
)
def test_values_out_of_range_are_refused_with_their_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert name.lower() in refusal(monkeypatch, **{name: value})


def test_documents_in_memory_must_fit_into_the_byte_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or the largest of them would be admitted only alone, and stop everything else."""
    said = refusal(monkeypatch, STREAM_ABOVE_BYTES="2000000", MAX_IN_FLIGHT_BYTES="3999999")
    assert "STREAM_ABOVE_BYTES" in said
    fitting = settings(monkeypatch, STREAM_ABOVE_BYTES="2000000", MAX_IN_FLIGHT_BYTES="4000000")
    assert fitting.stream_above_bytes == 2_000_000


def test_env_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DB_NAME=from_file\nDB_USER=from_file\nUNKNOWN=1\n")
    monkeypatch.setenv("DB_USER", "from_environment")
    told = DatabaseSettings()
    assert (told.db_name, told.db_user) == ("from_file", "from_environment")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass variables on as `${NAME:-}`."""
    assert settings(monkeypatch, DB_PORT="", AWS_ENDPOINT_URL="").aws_endpoint_url is None


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_is_read_under_both_of_the_sdk_s_names(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert settings(monkeypatch, **{name: "sa-east-1"}).aws_region == "sa-east-1"


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings(
        monkeypatch,
        DB_PASSWORD="hush",
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="hush",
        AWS_SESSION_TOKEN="hush",
    )
    assert "hush" not in repr(told) + str(told) + told.model_dump_json()
    assert told.conninfo["password"] == "hush"


def test_other_reactions_to_error_codes_are_read_and_checked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = settings(monkeypatch, ERROR_POLICY="object_missing=retry")
    assert told.policy.chosen == {ErrorCode.OBJECT_MISSING: Reaction.RETRY}
    assert settings(monkeypatch, ERROR_POLICY="").policy.chosen == {}
    said = refusal(monkeypatch, ERROR_POLICY="object_missing=explode")
    assert "error_policy" in said
    assert "choose dead_letter, ignore, retry" in said


def test_settings_cannot_be_changed_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings(monkeypatch)
    with pytest.raises(ValidationError):
        told.bucket_name = "other"


def test_a_database_without_password_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "password" not in settings(monkeypatch).conninfo


def test_every_setting_says_what_it_is() -> None:
    undescribed = [
        name for name, field in ConsumerSettings.model_fields.items() if not field.description
    ]
    assert undescribed == []


def test_the_database_s_password_comes_from_one_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "password"
    assert "cannot be read" in refusal(monkeypatch, DB_PASSWORD_FILE=str(path))
    path.write_text("\n", encoding="utf-8")
    assert "is empty" in refusal(monkeypatch, DB_PASSWORD_FILE=str(path))
    path.write_text("pass word \r\n", encoding="utf-8")
    assert "pass word " == read_password(path).get_secret_value()
    assert "leave one" in refusal(monkeypatch, DB_PASSWORD_FILE=str(path), DB_PASSWORD="x")


def test_a_token_for_rds_is_sent_to_a_proven_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"sslmode", "sslrootcert"}.isdisjoint(settings(monkeypatch).conninfo)
    assert "verify-full" in refusal(monkeypatch, DB_AUTH="iam")
    assert "verify-full" in refusal(monkeypatch, DB_AUTH="iam", DB_SSLMODE="prefer")
    tls = {"DB_SSLMODE": "verify-full", "DB_SSLROOTCERT": "/etc/rds.pem"}
    told = settings(monkeypatch, DB_AUTH="iam", **tls)
    assert ("verify-full", "/etc/rds.pem") == (
        told.conninfo["sslmode"],
        told.conninfo["sslrootcert"],
    )


def test_nobody_connects_past_a_password_that_changes() -> None:
    """Who needs a session calls `open_session`, `connect` and the like, or `parameters`."""
    root = Path(consumer.__file__).parent.parent
    modules = (path for name in PACKAGES for path in (root / name).rglob("*.py"))
    knowing = [path for path in modules if ".conninfo" in path.read_text(encoding="utf-8")]
    assert [root / "consumer/load/sessions.py"] == knowing
