"""Settings that would let in anybody keep the console from starting."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from console.access_settings import AccessSettings

TOKEN = "t" * 24
ARN = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/console/0123456789abcdef"
)
ALB = {
    "console_auth": "alb",
    "console_alb_arn": ARN,
    "console_alb_client_id": "c",
    "console_alb_issuer": "https://i",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start from no settings at all, in a directory without `.env`."""
    for field in AccessSettings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def settings(**given: object) -> AccessSettings:
    return AccessSettings.model_validate(given)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_nobody_else_reaches_the_loopback_address(host: str) -> None:
    assert settings(console_host=host).is_loopback


@pytest.mark.parametrize("host", ["::", "10.0.0.1", "example.com", "localhost.x", ""])
def test_another_address_needs_a_way_to_prove_who_one_is(host: str) -> None:
    with pytest.raises(ValidationError, match="CONSOLE_AUTH=alb or CONSOLE_AUTH=token"):
        settings(console_host=host)
    told = settings(console_host=host, console_auth="token", console_token=f"ana:{TOKEN}")
    assert {"ana": TOKEN} == told.tokens
    assert "alb" == settings(console_host=host, **ALB).console_auth


def test_tokens_have_names_for_the_audit_trail(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"ana:{TOKEN}1\n\n rui : {TOKEN}2 \n")
    told = settings(console_auth="token", console_token_file=path)
    assert {"ana": f"{TOKEN}1", "rui": f"{TOKEN}2"} == told.tokens
    assert {"token": TOKEN} == settings(console_auth="token", console_token=TOKEN).tokens
    assert TOKEN not in repr(settings(console_auth="token", console_token=TOKEN))


@pytest.mark.parametrize("text", ["short", "ana:short", f"ana:{TOKEN},ana:{TOKEN}x", f":{TOKEN}"])
def test_tokens_that_can_be_guessed_or_mixed_up_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="openssl rand"):
        settings(console_auth="token", console_token=text)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="CONSOLE_TOKEN or CONSOLE_TOKEN_FILE"):
        settings(console_auth="token")
    with pytest.raises(ValidationError, match="cannot be read"):
        settings(console_auth="token", console_token_file=tmp_path / "none")
    with pytest.raises(ValidationError, match="leave one of them"):
        settings(console_token=TOKEN, console_token_file=tmp_path / "none")
    for name in ALB:
        if name != "console_auth":
            with pytest.raises(ValidationError, match=name.upper()):
                settings(**{key: value for key, value in ALB.items() if key != name})
    with pytest.raises(ValidationError, match="no ARN"):
        settings(**ALB | {"console_alb_arn": ARN.replace("app", "net")})
    with pytest.raises(ValidationError, match="32"):
        settings(console_secret="short")
