"""The consumer's settings: read from the environment and `.env`, checked once at start."""

import re
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from consumer.memory import default_budget_bytes, memory_limit_bytes
from consumer.policy import Policy, read_policy
from runtime.postgres import PostgresSettings
from runtime.settings import CONFIG, AwsSettings, ServiceSettings, split_stores
from schemas.layouts import KEY_TEMPLATES_MEANING, Layout, read_layout


def _split(text: Any) -> Any:
    return [name for name in re.split(r"[,\s]+", text) if name] if isinstance(text, str) else text


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


Stores = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_stores)]


class DatabaseSettings(PostgresSettings):
    """How the consumer reaches PostgreSQL."""

    program: ClassVar[str] = "coco-ingest-consumer"

    db_statement_timeout_seconds: int = Field(
        300, ge=1, le=86_400, description="longest statement before it is cancelled and retried"
    )


class LakeSettings(AwsSettings):
    """Which bucket and queues."""

    bucket_name: str = Field(min_length=3, description="bucket of the data lake")
    queue_url: str = Field(min_length=1, description="queue that S3 announces objects on")
    dlq_url: str = Field(min_length=1, description="dead-letter queue of that queue")


class PolicySettings(BaseSettings):
    """What decides about an announced object before it is read."""

    model_config = CONFIG

    max_object_bytes: int = Field(
        2**30,
        ge=1024,
        description="largest object, as stored; a larger one is `object_too_large`",
    )
    other_bucket_names: Names = Field(
        (),
        description="names that events may give besides BUCKET_NAME, separated by commas: access "
        "point aliases, or a second bucket; objects are read under the announced name",
    )
    key_templates: str | None = Field(None, description=KEY_TEMPLATES_MEANING)
    error_policy: str | None = Field(
        None, description="reactions that replace the defaults: `object_missing=retry,…`"
    )

    @property
    def policy(self) -> Policy:
        """What to do about each error code."""
        return read_policy(self.error_policy or "")

    @property
    def layout(self) -> Layout:
        """How the keys of documents look."""
        return read_layout(self.key_templates)

    @field_validator("error_policy")
    @classmethod
    def _check_policy(cls, text: str | None) -> str | None:
        read_policy(text or "")
        return text

    @field_validator("key_templates")
    @classmethod
    def _check_templates(cls, text: str | None) -> str | None:
        read_layout(text)
        return text


class RoutingSettings(PolicySettings):
    """What `consumer explain` needs; without a bucket, any is taken for the served one."""

    bucket_name: str | None = Field(None, description="bucket of the data lake")


class DocumentSettings(PolicySettings):
    """How documents are read, wherever they come from: all that `consumer validate` needs."""

    max_decompressed_bytes: int = Field(
        4 * 2**30, ge=1024, description="largest document once gunzipped"
    )
    schema_aliases_file: str | None = Field(
        None,
        description="TOML file of renamed fields and record paths, besides the built-in ones",
    )


class ConsumerSettings(ServiceSettings, DocumentSettings, DatabaseSettings, LakeSettings):
    """The settings of `consumer run`."""

    max_in_flight_messages: int = Field(200, ge=1, le=10_000, description="messages held at once")
    max_in_flight_bytes: int | None = Field(
        None,
        ge=2**20,
        description="byte budget of the objects held at once, gzipped ones count 16 times; unset: "
        "what the container's memory allows, at most 256 MiB",
    )
    stream_above_bytes: int = Field(
        16 * 2**20, ge=1024, description="size from which a document is read as a stream"
    )
    decode_threads: int = Field(
        1, ge=1, le=64, description="documents validated at once, besides one read as a stream"
    )
    batch_max_rows: int = Field(10_000, ge=1, description="rows after which a batch is full")
    batch_max_bytes: int = Field(
        16 * 2**20, ge=1024, description="bytes after which a batch is full"
    )
    batch_max_wait_milliseconds: int = Field(
        50, ge=0, le=60_000, description="a batch's wait for more; 8 times that while others load"
    )
    loader_connections: int = Field(3, ge=1, le=64, description="transactions at once")
    retry_base_seconds: float = Field(
        2, gt=0, le=600, description="first retry delay; doubles with each receive, full jitter"
    )
    retry_max_seconds: int = Field(
        600, ge=1, le=43_200, description="longest retry delay (SQS allows 12 hours)"
    )
    failure_burst_min_objects: int = Field(
        50, ge=0, le=100_000, description="failed objects that open the failure breaker; 0: never"
    )
    failure_burst_percent: int = Field(
        50, ge=1, le=100, description="share of all objects that must have failed"
    )
    failure_burst_window_seconds: int = Field(
        300, ge=1, le=86_400, description="time within which failures are counted"
    )
    receive_wait_seconds: int = Field(
        20, ge=1, le=20, description="long poll; 20 is cheapest on an empty queue"
    )
    shutdown_timeout_seconds: int = Field(
        25, ge=1, le=3600, description="time to finish messages in flight when told to stop"
    )
    progress_log_seconds: float = Field(
        10, ge=0, le=3600, description="how often progress is logged while there is some; 0: never"
    )
    expected_stores: Stores = Field(
        (),
        description="stores that answer every endpoint each day, as the producer's STORES: what "
        "they lack is missing; separated by commas, or a JSON list. Read at the start",
    )
    heartbeat_seconds: float = Field(
        15, ge=0, le=3600, description="how often the process tells that it is alive; 0: never"
    )
    ecs_agent_uri: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="set by ECS: where the task asks for protection from scale-in and deployments "
        "while a document is in hand that is read as a stream, or for half of the time to stop",
    )
    watch_seconds: float = Field(
        300,
        ge=0,
        le=86_400,
        description="how often the metrics of drift and of objects that no "
        "message told of are renewed; 0: never",
    )

    @property
    def byte_budget_bytes(self) -> int:
        """The byte budget that was set, or the default for this machine."""
        return self.max_in_flight_bytes or default_budget_bytes(memory_limit_bytes())

    @field_validator("expected_stores")
    @classmethod
    def _trim_stores(cls, stores: tuple[str, ...]) -> tuple[str, ...]:
        # As documents are compared.
        return tuple(filter(None, map(str.strip, stores)))

    @model_validator(mode="after")
    def _check(self) -> Self:
        if 2 * self.stream_above_bytes > self.byte_budget_bytes:
            raise ValueError(
                "STREAM_ABOVE_BYTES must not exceed half of MAX_IN_FLIGHT_BYTES (here "
                f"{self.byte_budget_bytes}), or the largest documents would never fit"
            )
        return self
