"""How the producer's clients reach AWS."""

from typing import Any

from aiobotocore.config import AioConfig

from producer.settings import Settings


def client_arguments(settings: Settings, concurrency: int) -> dict[str, Any]:
    """Return the arguments of `create_client`; the SDK finds what the settings leave out.

    Args:
        settings: Address and credentials.
        concurrency: How many calls may be under way at once.
    """
    endpoint = settings.aws_endpoint_url
    config = AioConfig(
        connect_timeout=min(10.0, settings.lake_timeout_seconds),
        read_timeout=settings.lake_timeout_seconds,
        max_pool_connections=concurrency,
        retries={"mode": "adaptive", "total_max_attempts": settings.lake_max_attempts},
        # A stand-in for S3 has no DNS names for buckets.
        s3={"addressing_style": "path"} if endpoint is not None else {},
    )
    arguments: dict[str, Any] = {"config": config, "region_name": settings.aws_region}
    if endpoint is not None:
        arguments["endpoint_url"] = str(endpoint)
    if settings.aws_access_key_id and settings.aws_secret_access_key:
        arguments["aws_access_key_id"] = settings.aws_access_key_id
        arguments["aws_secret_access_key"] = settings.aws_secret_access_key.get_secret_value()
        if settings.aws_session_token:
            arguments["aws_session_token"] = settings.aws_session_token.get_secret_value()
    return arguments
