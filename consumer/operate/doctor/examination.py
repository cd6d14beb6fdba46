"""The whole examination: all probes at once, each bounded in time, then the checks."""

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, TypeVar

from pydantic_settings import BaseSettings

from consumer.drift.alias_file import read_aliases
from consumer.load.migrations.steps import known_versions, schema_head
from consumer.operate.doctor.checks.announcing import check_announcing
from consumer.operate.doctor.checks.configuration import (
    check_aliases,
    check_configuration,
    check_host,
)
from consumer.operate.doctor.checks.database import check_database
from consumer.operate.doctor.checks.lake import check_lake
from consumer.operate.doctor.checks.queues import check_queues
from consumer.operate.doctor.facts import LakeFacts, QueueFacts, Unknown
from consumer.operate.doctor.findings import Finding
from consumer.operate.doctor.probes.aws import probe_lake, probe_queue
from consumer.operate.doctor.probes.database import probe_database
from consumer.operate.doctor.probes.host import probe_host
from consumer.operate.doctor.refusals import aws_refusal
from consumer.settings import ConsumerSettings, LakeSettings
from runtime.aws_clients import AwsUnusable, open_client
from runtime.aws_errors import AWS_ERRORS
from runtime.errors import SettingsInvalid

_PROBE_SECONDS = 8.0
_CALLS_AT_ONCE, _SILENCE_SECONDS, _ATTEMPTS = 10, 3.0, 2

T = TypeVar("T")


class AnnouncingSettings(BaseSettings):
    """The producer's setting that decides who announces."""

    model_config = LakeSettings.model_config

    events: Literal["bucket", "publish"] = "bucket"


async def examine(settings: ConsumerSettings, announcing: AnnouncingSettings) -> list[Finding]:
    """Examine a deployment; changes nothing, and takes about ten seconds at most.

    What cannot be examined because something is down is said, and the rest goes on.
    """
    main, dead, lake, database, host = await asyncio.gather(
        _bounded(_queue(settings, settings.queue_url, "QUEUE_URL"), "the queue"),
        _bounded(_queue(settings, settings.dlq_url, "DLQ_URL"), "the dead-letter queue"),
        _bounded(_lake(settings), "the bucket"),
        _bounded(probe_database(settings), "the database"),
        _bounded(asyncio.to_thread(probe_host, settings), "this machine"),
    )
    return [
        *check_configuration(settings),
        check_aliases(settings.schema_aliases_file, _alias_error(settings)),
        *check_host(settings, host),
        *check_queues(main, dead, settings),
        *check_lake(lake, settings),
        *check_announcing(lake, main, settings.bucket_name, announcing.events),
        *check_database(database, settings, known_versions(), schema_head()),
    ]


async def _bounded(probe: Awaitable[T | Unknown], what: str) -> T | Unknown:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            return await probe
    except TimeoutError:
        return Unknown(
            f"{what} does not answer within {_PROBE_SECONDS:g} s",
            "check its address in the settings, and the network",
        )
    except OSError as error:
        return Unknown(f"{what} cannot be asked: {error}", "check its address in the settings")


async def _queue(settings: LakeSettings, url: str, variable: str) -> QueueFacts | Unknown:
    try:
        async with _client("sqs", settings) as client:
            return await probe_queue(client, url, variable)
    except (*AWS_ERRORS, AwsUnusable) as error:
        return aws_refusal(error, "sqs:GetQueueAttributes", url, variable)


async def _lake(settings: LakeSettings) -> LakeFacts | Unknown:
    bucket = settings.bucket_name
    try:
        async with _client("s3", settings) as client:
            return await probe_lake(client, bucket)
    except (*AWS_ERRORS, AwsUnusable) as error:
        return aws_refusal(error, "s3:ListBucket", f"s3://{bucket}", "BUCKET_NAME")


def _client(
    service: Literal["s3", "sqs"], settings: LakeSettings
) -> AbstractAsyncContextManager[Any]:
    """Open what the consumer opens, but less patient."""
    return open_client(service, settings, _CALLS_AT_ONCE, _SILENCE_SECONDS, _ATTEMPTS)


def _alias_error(settings: ConsumerSettings) -> str | None:
    try:
        read_aliases(settings.schema_aliases_file)
    except SettingsInvalid as error:
        return str(error)
    return None
