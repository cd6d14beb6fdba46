"""How the programs reach AWS."""

import json
import shlex
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError
from botocore.handlers import add_expect_header, set_list_objects_encoding_type_url

from runtime.aws_errors import AwsFault, classify
from runtime.errors import EXIT_USAGE, ReportedError
from runtime.settings import AwsSettings
from runtime.sockets import watched_socket

# Longer than a long poll, which is silent for 20 seconds.
_SILENCE_SECONDS = 30.0


class AwsUnusable(ReportedError):
    """No client can be made from the AWS settings, or from what the SDK finds beside them."""

    exit_code: ClassVar[int] = EXIT_USAGE

    def __init__(self, fault: AwsFault) -> None:
        super().__init__(f"AWS cannot be used: {fault}")
        self.fault = fault


@asynccontextmanager
async def open_client(
    service: Literal["s3", "sqs"],
    settings: AwsSettings,
    connections: int,
    timeout_seconds: float = _SILENCE_SECONDS,
    max_attempts: int = 4,
) -> AsyncIterator[Any]:
    """Hold a client for a service while the block runs; raises AwsUnusable if there is none.

    `connections` calls may be under way at once, each silent for `timeout_seconds` at most.
    """
    session = get_session()
    config = AioConfig(
        connect_timeout=min(10.0, timeout_seconds),
        read_timeout=timeout_seconds,
        max_pool_connections=connections,
        connector_args={"socket_factory": watched_socket},
        retries={"mode": "adaptive", "total_max_attempts": max_attempts},
        # A stand-in for S3 has no DNS names for buckets.
        s3={"addressing_style": "path"} if settings.aws_endpoint_url else {},
    )
    try:
        # The region of AWS_PROFILE counts when the settings name none.
        region = settings.aws_region or session.get_config_variable("region") or "us-east-1"
        context = session.create_client(
            service,
            region,
            endpoint_url=settings.aws_endpoint_url,
            config=config,
            **_credentials(settings),
        )
        client = await context.__aenter__()
        _unhook(client)
    except (BotoCoreError, ValueError, OSError) as error:
        raise AwsUnusable(classify(error)) from error
    try:
        yield client
    finally:
        await context.__aexit__(None, None, None)


def _unhook(client: Any) -> None:
    """Take off what the SDK does to each call, and we cannot use."""
    # Its PUT waits for `100 Continue`, and no timeout covers that wait.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    # Otherwise listed keys come URL-encoded, which LocalStack mistakes when it turns pages.
    client.meta.events.unregister(
        "before-parameter-build.s3.ListObjectsV2", set_list_objects_encoding_type_url
    )


def _credentials(settings: AwsSettings) -> dict[str, Any]:
    """Return the key pair that the settings name; without one, the SDK finds its own."""
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    if secret is None:
        return {}
    return {
        "aws_access_key_id": settings.aws_access_key_id,
        "aws_secret_access_key": secret.get_secret_value(),
        "aws_session_token": token.get_secret_value() if token else None,
    }


def notification_command(bucket: str, queue_arn: str, prefixes: Iterable[str]) -> str:
    """Return the command, for a shell, with which a bucket announces its new objects on a queue.

    It replaces all that the bucket announces (S3 API, PutBucketNotificationConfiguration).
    """
    queues = [
        {
            "QueueArn": queue_arn,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
        }
        for prefix in prefixes
    ]
    configuration = shlex.quote(json.dumps({"QueueConfigurations": queues}))
    return (
        f"aws s3api put-bucket-notification-configuration --bucket {bucket} "
        f"--notification-configuration {configuration}"
    )
