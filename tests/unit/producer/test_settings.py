"""Settings come from the environment and `.env`, and say what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from producer.settings import Settings
from runtime.errors import SettingsInvalid
from runtime.settings import read_settings


@pytest.fixture(autouse=True)
def _clean(clean_environment: None) -> None:
    """Start every test without settings."""


def test_the_environment_wins_over_the_file_it_shares_with_the_consumer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text(
        "BUCKET_NAME=from-file\nDB_HOST=x\nSOMETHING_ELSE=1\nAPI_TOKEN=\nSTORES=1,2\n"
        "AWS_ACCESS_KEY_ID=key\nAWS_SECRET_ACCESS_KEY=secret\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("STORES", "3")
    settings = read_settings(Settings)
    assert settings.bucket_name == "from-file"
    assert settings.stores == ("3",)
    assert settings.api_token is None
    assert settings.aws_access_key_id == "key"


@pytest.mark.parametrize(
    ("text", "stores"),
    [
        ("99 CB CB", ("99 CB CB",)),
        ("001, 99 CB CB ,São João,", ("001", " 99 CB CB ", "São João")),
        ('["Rua A, 10", "001"]', ("Rua A, 10", "001")),
        ("", ()),
        (" ", ()),
    ],
)
def test_stores_are_separated_by_commas_or_a_json_list(
    monkeypatch: pytest.MonkeyPatch, text: str, stores: tuple[str, ...]
) -> None:
    monkeypatch.setenv("BUCKET_NAME", "lake")
    monkeypatch.setenv("STORES", text)
    assert read_settings(Settings).stores == stores


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_has_either_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("BUCKET_NAME", "lake")
    monkeypatch.setenv(name, "sa-east-1")
    assert read_settings(Settings).aws_region == "sa-east-1"


def test_a_missing_variable_is_named_with_the_remedy() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        read_settings(Settings)
    assert str(caught.value) == (
        "BUCKET_NAME is not set; export it or add a line BUCKET_NAME=… to .env"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_BASE_URL", "sekret.example"),
        ("API_TOKEN", "sekret token"),
        ("API_TOKEN", "sekret\ntoken"),
        ("STORES", "[sekret"),
        ("STORES", "[1]"),
        ("PULL_CONCURRENCY", "0"),
        ("PULL_REQUEST_TIMEOUT_SECONDS", "sekret"),
        ("PULL_CONNECT_TIMEOUT_SECONDS", "200"),
        ("PULL_BACKOFF_INITIAL_SECONDS", "50"),
        ("LOG_LEVEL", "sekret"),
    ],
)
def test_an_unusable_variable_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("BUCKET_NAME", "lake")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as caught:
        read_settings(Settings)
    assert name in str(caught.value)
    assert "correct it in the environment or in .env" in str(caught.value)
    assert "sekret" not in str(caught.value)


def test_two_sources_of_the_token_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BUCKET_NAME", "API_TOKEN", "API_TOKEN_FILE"):
        monkeypatch.setenv(name, "lake")
    with pytest.raises(SettingsInvalid, match="API_TOKEN and API_TOKEN_FILE are both set"):
        read_settings(Settings)


def test_publishing_needs_a_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET_NAME", "lake")
    assert read_settings(Settings).events == "bucket"
    monkeypatch.setenv("EVENTS", "publish")
    with pytest.raises(SettingsInvalid, match="EVENTS=publish needs QUEUE_URL"):
        read_settings(Settings)


def test_a_file_that_is_no_text_is_reported() -> None:
    Path(".env").write_bytes(b"BUCKET_NAME=\xff\xfe\n")
    with pytest.raises(SettingsInvalid, match=r"cannot read \.env"):
        read_settings(Settings)


def test_secrets_do_not_show(settings_for: Callable[..., Settings]) -> None:
    settings = settings_for(
        api_token="s3cret", aws_access_key_id="key", aws_secret_access_key="s3cret"
    )
    assert "s3cret" not in repr(settings) + str(settings)


def test_every_setting_has_a_description_and_every_number_a_range() -> None:
    for name, info in Settings.model_fields.items():
        assert info.description, name
        if info.annotation in (int, float):
            bounds = {type(bound).__name__ for bound in info.metadata}
            assert bounds & {"Ge", "Gt"}, name
            assert bounds & {"Le", "Lt"}, name
            assert name.rpartition("_")[2] in {
                "seconds",
                "bytes",
                "attempts",
                "failures",
                "concurrency",
                "second",
                "percent",
                "days",
                "hours",
                "hour",
            }
