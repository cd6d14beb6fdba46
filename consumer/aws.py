"""How the consumer reaches AWS, and what AWS errors mean to it."""

from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - the SDK's own name for its family of connection errors
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from consumer.errors import (
    AccessDenied,
    ConsumerError,
    Internal,
    Permanent,
    StorageUnavailable,
    Throttled,
)
from consumer.settings import LakeSettings
from schemas.codes import ErrorCode

# What a call to AWS can raise; `mapped` understands each.
AWS_ERRORS = (ClientError, BotoCoreError, aiohttp.ClientError, TimeoutError)

# Amazon S3 and SQS API references, "Common errors" and "Error responses"
_MISSING = frozenset(
    {"404", "NoSuchKey", "NoSuchVersion", "KeyTooLongError", "MethodNotAllowed", "InvalidArgument"}
)
_DENIED = frozenset(
    {
        "403",
        "AWS.SimpleQueueService.NonExistentQueue",
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidAddress",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidToken",
        "KMS.AccessDeniedException",
        "KmsAccessDenied",
        "NoSuchBucket",
        "PermanentRedirect",
        "QueueDoesNotExist",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset(
    {
        "429",
        "KmsThrottled",
        "OverLimit",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_UNREACHABLE = (HTTPClientError, ConnectionError, aiohttp.ClientError, TimeoutError)
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)


def client_arguments(settings: LakeSettings, connections: int) -> dict[str, Any]:
    """Return the arguments of `create_client`; what the settings leave out the SDK finds.

    Args:
        settings: Region, endpoint and credentials.
        connections: How many calls may be under way at once.
    """
    endpoint = settings.aws_endpoint_url
    config = AioConfig(
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=connections,
        retries={"mode": "adaptive", "total_max_attempts": 4},
        # A stand-in for S3 has no DNS names for buckets.
        s3={"addressing_style": "path"} if endpoint else {},
    )
    arguments: dict[str, Any] = {"config": config, "region_name": settings.aws_region}
    if endpoint:
        arguments["endpoint_url"] = endpoint
    if settings.aws_access_key_id and settings.aws_secret_access_key:
        arguments["aws_access_key_id"] = settings.aws_access_key_id
        arguments["aws_secret_access_key"] = settings.aws_secret_access_key.get_secret_value()
        if settings.aws_session_token:
            arguments["aws_session_token"] = settings.aws_session_token.get_secret_value()
    return arguments


def error_code(error: Exception) -> str:
    """Return the error code of an AWS answer, or an empty text."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def mapped(error: Exception, what: str) -> ConsumerError:
    """Translate an AWS error; `what` says what was being done, for the message."""
    if isinstance(error, ClientError):
        return _mapped_answer(error, what)
    if isinstance(error, _NO_CREDENTIALS):
        return AccessDenied(f"{what}: {error}; set AWS_ACCESS_KEY_ID or give the task a role")
    if isinstance(error, _UNREACHABLE):
        return StorageUnavailable(f"{what}: {type(error).__name__}: {error}")
    return Internal(f"{what}: {type(error).__name__}: {error}")


def _mapped_answer(error: ClientError, what: str) -> ConsumerError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{what}: {code}: {error.response.get('Error', {}).get('Message', '')}"
    if code in _DENIED or status in (401, 403):
        return AccessDenied(f"{message}; check the credentials, the policy and the names")
    if code in _THROTTLED or status == 429:
        return Throttled(message)
    if status >= 500 or code in ("RequestTimeout", "InternalError"):
        return StorageUnavailable(message)
    if code in _MISSING or status == 404:
        return Permanent(ErrorCode.OBJECT_MISSING, message)
    return Internal(message)
