"""The producer's settings: one frozen model, read from the environment and `.env`."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    model_validator,
)
from pydantic_settings import NoDecode

from runtime.settings import AwsSettings, ServiceSettings


def _split_stores(value: Any) -> Any:
    """Read `99 CB CB, 001`, or a JSON list for store ids that contain a comma."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as exc:
            raise ValueError('starts with "[" but is no JSON list of texts') from exc
    return [part for part in value.split(",") if part.strip()]


def header_safe(value: SecretStr) -> SecretStr:
    """Return a token or key without the space around it.

    Raises:
        ValueError: It cannot stand in an HTTP header; the message does not show it.
    """
    token = value.get_secret_value().strip()
    if not re.fullmatch(r"[\x21-\x7e]*", token):
        raise ValueError("holds spaces, line breaks or non-ASCII characters; copy it again")
    return SecretStr(token)


Stores = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_stores)]
Token = Annotated[SecretStr, AfterValidator(header_safe)]


class Settings(ServiceSettings, AwsSettings):
    """Everything about the producer that may differ from one installation to the next."""

    bucket_name: str = Field(min_length=3, max_length=63, description="Bucket of the data lake.")
    api_base_url: HttpUrl | None = Field(
        None, description="Address of the ERP API, without the endpoint path; needed by pull."
    )
    api_token: Token | None = Field(None, description="Bearer token of the ERP API.")
    api_token_file: Path | None = Field(
        None,
        description="File that holds the bearer token, instead of API_TOKEN; read at the start, "
        "and again when the ERP answers 401.",
    )
    api_key: Token | None = Field(
        None, description="Key sent to the ERP API as x-api-key, instead of a token or beside it."
    )
    stores: Stores = Field(
        (),
        description="Stores to pull when neither --store nor --stores-file is given: separated "
        "by commas, or a JSON list when an id contains a comma.",
    )
    store_utc_offset_hours: float = Field(
        -3, ge=-14, le=14, description="Hours that the stores' clocks are ahead of UTC."
    )
    business_day_end_hour: int = Field(
        4, ge=0, le=23, description="Hour, store time, at which the next business day begins."
    )

    pull_concurrency: int = Field(
        8, ge=1, le=256, description="Requests to the ERP that may run at once."
    )
    pull_requests_per_second: float = Field(
        20, gt=0, le=10_000, description="Requests to the ERP, retries included, per second."
    )
    pull_correction_days: int = Field(
        14,
        ge=0,
        le=366,
        description="Days after a business date on which its answers may still be corrected; one "
        "pulled later is final and not asked for again without --force.",
    )
    pull_resume_within_seconds: float = Field(
        3600,
        ge=0,
        le=7 * 86_400,
        description="Age up to which an answer for a day that is over, but may still be "
        "corrected, is not asked for again without --force.",
    )
    pull_gzip: bool = Field(False, description="Whether answers are stored gzipped.")
    pull_connect_timeout_seconds: float = Field(
        10, gt=0, le=300, description="Time to get a connection to the ERP."
    )
    pull_request_timeout_seconds: float = Field(
        120, gt=0, le=3600, description="Time for one attempt, from request to last byte."
    )
    pull_max_attempts: int = Field(
        7, ge=1, le=50, description="Attempts for one answer, the first one included."
    )
    pull_backoff_initial_seconds: float = Field(
        0.5, gt=0, le=60, description="Wait before the second attempt; doubles each time."
    )
    pull_backoff_max_seconds: float = Field(
        30, gt=0, le=600, description="Longest wait between attempts, jitter included."
    )
    pull_retry_after_max_seconds: float = Field(
        300, ge=0, le=86_400, description="Longest Retry-After that is waited for."
    )
    pull_max_answer_bytes: int = Field(
        256 * 2**20, ge=1024, le=5 * 2**30, description="Largest answer that is accepted."
    )
    pull_stop_after_failures: int = Field(
        50,
        ge=1,
        le=100_000,
        description="Answers missed in a row, because ERP or S3 is down, that end the run.",
    )
    queue_url: str | None = Field(
        None, description="Queue that the consumer reads; needed by publish and EVENTS=publish."
    )
    events: Literal["bucket", "publish"] = Field(
        "bucket",
        description="Who announces new objects: the bucket's notification, or pull, run and "
        "upload themselves (`publish`), for buckets without one.",
    )
    publish_events_per_second: float = Field(
        100, gt=0, le=10_000, description="Events that publish sends per second."
    )
    run_jitter_percent: float = Field(
        10, ge=0, le=50, description="How far the beginning of a round is moved, in percent."
    )
    run_lease_seconds: float = Field(
        30,
        ge=3,
        le=3600,
        description="Time after which the stores of a run that was killed are free for another "
        "one; renewed at a third of it.",
    )
    run_stop_timeout_seconds: float = Field(
        20, ge=0, le=600, description="Time for answers under way when run is told to stop."
    )
    upload_concurrency: int = Field(4, ge=1, le=64, description="Files sent at once.")
    upload_max_file_bytes: int = Field(
        512 * 2**20, ge=1024, le=5 * 2**30, description="Largest file, unpacked."
    )
    lake_timeout_seconds: float = Field(
        60, gt=0, le=3600, description="Time S3 may stay silent before an attempt counts as lost."
    )
    lake_max_attempts: int = Field(
        6, ge=1, le=50, description="Attempts of the AWS SDK for one object."
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.api_token is not None and self.api_token_file is not None:
            raise ValueError("API_TOKEN and API_TOKEN_FILE are both set; remove one")
        if self.events == "publish" and not self.queue_url:
            raise ValueError("EVENTS=publish needs QUEUE_URL")
        if self.pull_connect_timeout_seconds > self.pull_request_timeout_seconds:
            raise ValueError(
                "PULL_CONNECT_TIMEOUT_SECONDS is longer than PULL_REQUEST_TIMEOUT_SECONDS"
            )
        if self.pull_backoff_initial_seconds > self.pull_backoff_max_seconds:
            raise ValueError("PULL_BACKOFF_INITIAL_SECONDS is above PULL_BACKOFF_MAX_SECONDS")
        return self
