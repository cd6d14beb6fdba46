"""The producer's settings: one frozen model, read from the environment and `.env`."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from runtime.settings import AwsSettings, ServiceSettings, split_stores
from schemas.layouts import KEY_TEMPLATES_MEANING, Layout, read_layout


def header_safe(value: SecretStr) -> SecretStr:
    """Return a token without surrounding space; raises ValueError if no header can hold it."""
    token = value.get_secret_value().strip()
    if not re.fullmatch(r"[\x21-\x7e]*", token):
        raise ValueError("contains spaces, line breaks or non-ASCII characters; copy it again")
    return SecretStr(token)


Stores = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_stores)]
Token = Annotated[SecretStr, AfterValidator(header_safe)]


class Settings(ServiceSettings, AwsSettings):
    """All settings of the producer."""

    bucket_name: str = Field(min_length=3, max_length=63, description="Bucket of the data lake.")
    api_base_url: HttpUrl | None = Field(
        None, description="Address of the ERP API, without endpoint paths; needed by pull and run."
    )
    api_token: Token | None = Field(None, description="Bearer token of the ERP API.")
    api_token_file: Path | None = Field(
        None, description="File of the token, instead of API_TOKEN; read again after a 401."
    )
    api_key: Token | None = Field(
        None, description="Key sent to the ERP API as x-api-key, instead of a token or with it."
    )
    erp_ca_file: Path | None = Field(
        None,
        validation_alias=AliasChoices("ERP_CA_FILE", "SSL_CERT_FILE"),
        description="PEM file of the CAs to trust for the ERP, instead of the system's.",
    )
    erp_client_cert_file: Path | None = Field(
        None, description="PEM file of the client certificate to show the ERP."
    )
    erp_client_key_file: Path | None = Field(
        None, description="PEM file of its key, if that is not in the certificate's file."
    )
    stores: Stores = Field(
        (), description="Stores to pull by default: separated by commas, or as a JSON list."
    )
    store_utc_offset_hours: float = Field(
        -3, ge=-14, le=14, description="Hours that the stores' clocks are ahead of UTC."
    )
    business_day_end_hour: int = Field(
        4, ge=0, le=23, description="Hour, store time, at which the next business day begins."
    )

    pull_concurrency: int = Field(
        8, ge=1, le=256, description="Requests to the ERP under way at once."
    )
    pull_requests_per_second: float = Field(
        20, gt=0, le=10_000, description="Requests to the ERP, retries included, per second."
    )
    pull_correction_days: int = Field(
        14, ge=0, le=366, description="Days in which answers may be corrected; then they are final."
    )
    pull_resume_within_seconds: float = Field(
        3600, ge=0, le=7 * 86_400, description="Age up to which other answers are not asked again."
    )
    pull_gzip: bool = Field(False, description="Whether answers are stored gzipped.")
    pull_connect_timeout_seconds: float = Field(
        10, gt=0, le=300, description="Longest time to connect to the ERP."
    )
    pull_read_timeout_seconds: float = Field(
        50, gt=0, le=3600, description="Longest silence of the ERP before an attempt fails."
    )
    pull_request_timeout_seconds: float = Field(
        120, gt=0, le=3600, description="Longest time for one attempt, from request to last byte."
    )
    pull_max_attempts: int = Field(
        7, ge=1, le=50, description="Attempts for one answer, the first included."
    )
    pull_backoff_initial_seconds: float = Field(
        0.5, gt=0, le=60, description="Wait before the second attempt; doubles each time."
    )
    pull_backoff_max_seconds: float = Field(
        30, gt=0, le=600, description="Longest wait between attempts, jitter included."
    )
    pull_retry_after_max_seconds: float = Field(
        300, ge=0, le=86_400, description="Longest Retry-After to wait for."
    )
    pull_max_answer_bytes: int = Field(
        256 * 2**20, ge=1024, le=5 * 2**30, description="Largest answer accepted."
    )
    pull_stop_after_failures: int = Field(
        50, ge=1, le=100_000, description="Transient failures in a row that end the run."
    )
    pull_skip_after_failures: int = Field(
        3, ge=1, le=100_000, description="Failures in a row that have a store or endpoint skipped."
    )
    queue_url: str | None = Field(
        None, description="Queue that the consumer reads; needed by publish and by EVENTS=publish."
    )
    events: Literal["bucket", "publish"] = Field(
        "bucket",
        description="Who announces new objects: the bucket's notification, or the producer itself.",
    )
    publish_events_per_second: float = Field(
        100, gt=0, le=10_000, description="Events that `producer publish` sends per second."
    )
    run_jitter_percent: float = Field(
        10, ge=0, le=50, description="Random shift of the start of a round, percent."
    )
    run_lease_seconds: float = Field(
        30, ge=3, le=3600, description="Time after which a killed run's stores are free again."
    )
    run_stop_timeout_seconds: float = Field(
        20, ge=0, le=600, description="Time for answers under way to finish after SIGTERM."
    )
    key_templates: str | None = Field(None, description=KEY_TEMPLATES_MEANING)
    upload_concurrency: int = Field(4, ge=1, le=64, description="Files uploaded at once.")
    upload_max_file_bytes: int = Field(
        512 * 2**20, ge=1024, le=5 * 2**30, description="Largest file accepted, also unpacked."
    )
    lake_timeout_seconds: float = Field(
        30, gt=0, le=3600, description="Longest silence of S3 or SQS before an attempt fails."
    )
    lake_max_attempts: int = Field(
        6, ge=1, le=50, description="Attempts of the AWS SDK for one call."
    )

    @property
    def layout(self) -> Layout:
        """How the keys of documents look."""
        return read_layout(self.key_templates)

    @field_validator("key_templates")
    @classmethod
    def _check_templates(cls, text: str | None) -> str | None:
        read_layout(text)
        return text

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.api_token is not None and self.api_token_file is not None:
            raise ValueError("API_TOKEN and API_TOKEN_FILE are both set; remove one")
        if self.erp_client_key_file is not None and self.erp_client_cert_file is None:
            raise ValueError("ERP_CLIENT_KEY_FILE needs ERP_CLIENT_CERT_FILE")
        if self.events == "publish" and not self.queue_url:
            raise ValueError("EVENTS=publish needs QUEUE_URL")
        if self.pull_connect_timeout_seconds > self.pull_request_timeout_seconds:
            raise ValueError(
                "PULL_CONNECT_TIMEOUT_SECONDS is longer than PULL_REQUEST_TIMEOUT_SECONDS"
            )
        if self.pull_backoff_initial_seconds > self.pull_backoff_max_seconds:
            raise ValueError("PULL_BACKOFF_INITIAL_SECONDS is above PULL_BACKOFF_MAX_SECONDS")
        return self
