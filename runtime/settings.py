"""The settings that every program has, and how settings are read.

The programs share `.env`, so names unknown to one are ignored. Nothing is read at import.
"""

import json
from typing import Any, Literal, Self, TypeVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.errors import SettingsInvalid
from runtime.logs import LogFormat

CONFIG = SettingsConfigDict(
    env_file=".env",
    env_file_encoding="utf-8",
    env_ignore_empty=True,
    extra="ignore",
    frozen=True,
    populate_by_name=True,
    hide_input_in_errors=True,
)

S = TypeVar("S", bound=BaseSettings)


class AwsSettings(BaseSettings):
    """How to reach AWS; whatever is not set here is left to its SDK (profiles, roles)."""

    model_config = CONFIG

    aws_region: str | None = Field(
        None,
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
        pattern="^[a-z0-9-]+$",
        description="region of bucket and queues; else that of AWS_PROFILE, else us-east-1",
    )
    aws_endpoint_url: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="endpoint to use instead of AWS, such as LocalStack's",
    )
    # Read here too because the SDK does not see what stands only in `.env`.
    aws_access_key_id: str | None = Field(None, description="access key; a role needs none")
    aws_secret_access_key: SecretStr | None = Field(None, description="secret of that key")
    aws_session_token: SecretStr | None = Field(None, description="token of a temporary key")

    @model_validator(mode="after")
    def _check_key_pair(self) -> Self:
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            raise ValueError(
                "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set; set both, or "
                "neither and give the task a role"
            )
        return self


class ServiceSettings(BaseSettings):
    """What a program that runs for long is told about its log and its HTTP port."""

    model_config = CONFIG

    http_host: str = Field(
        "127.0.0.1", description="address of the health and metrics port; 0.0.0.0 in a container"
    )
    http_port: int | None = Field(
        None, ge=1, le=65535, description="port of /healthz, /readyz and /metrics; unset: none"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severe level logged"
    )
    log_format: LogFormat = Field(
        "auto", description="`json`, `console` text, or `auto`: text when stderr is a terminal"
    )
    metrics_emf_seconds: float = Field(
        0,
        ge=0,
        le=3600,
        description="how often metrics are written to stdout for CloudWatch, as lines in its "
        "embedded metric format; 0: never",
    )
    metrics_emf_namespace: str = Field(
        "coco-ingest",
        pattern=r"^[A-Za-z0-9._#-][A-Za-z0-9._/#-]{0,254}$",
        description="CloudWatch namespace of these metrics; another one for each deployment",
    )


def read_settings(model: type[S]) -> S:
    """Read settings from the environment and `.env`; SettingsInvalid names what is unusable."""
    try:
        return model()
    except ValidationError as error:
        raise SettingsInvalid(_explained(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"cannot read .env: {error}; save it as UTF-8, or remove it"
        ) from error


def _explained(error: ValidationError) -> str:
    lines = []
    for found in error.errors(include_input=False, include_url=False):
        name = str(found["loc"][0]).upper() if found["loc"] else "settings"
        if found["type"] == "missing":
            lines.append(f"{name} is not set; export it or add a line {name}=… to .env")
        else:
            lines.append(f"{name}: {found['msg']}; correct it in the environment or in .env")
    return "\n".join(lines)


def split_stores(value: Any) -> Any:
    """Read `99 CB CB, 001`, or a JSON list for store ids that contain a comma."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError('starts with "[" but is not a JSON list of texts') from error
    return [part for part in value.split(",") if part.strip()]
