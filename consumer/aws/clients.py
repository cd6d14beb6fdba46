"""How the consumer reaches AWS, and what AWS errors mean to it."""

from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from botocore.exceptions import (
    BotoCoreError,
    CapacityNotAvailableError,
    ChecksumError,
    ClientError,
    ConnectionError,  # noqa: A004 - the SDK's own name for its family of connection errors
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from consumer.errors import (
    AccessDenied,
    ConsumerError,
    Internal,
    ObjectDenied,
    Permanent,
    StorageUnavailable,
    Throttled,
    Transient,
)
from consumer.settings import LakeSettings
from schemas.codes import ErrorCode

# What a call to AWS can raise; `mapped` understands each.
AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError)

# Amazon S3 and SQS API references, "Common errors" and "Error responses". A bare 404 is not among
# them: an endpoint that is no S3 gives it too, and no object is to blame for that.
_MISSING = frozenset(
    {"NoSuchKey", "NoSuchVersion", "KeyTooLongError", "MethodNotAllowed", "InvalidArgument"}
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
# Those of them that may be about one object: its key policy, or, without s3:ListBucket, its absence
_OBJECT_DENIED = frozenset({"403", "AccessDenied", "KMS.AccessDeniedException", "KmsAccessDenied"})
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
_CHECK_ACCESS = "check the credentials, the policy and the names"
_UNREACHABLE = (
    HTTPClientError,
    ConnectionError,
    aiohttp.ClientError,
    OSError,
    # An answer that was cut off, damaged, or given by something else than AWS
    IncompleteReadError,
    ChecksumError,
    FlexibleChecksumError,
    ResponseParserError,
)
_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoAuthTokenError,
    TokenRetrievalError,
    SSOError,
    LoginError,
    RefreshWithMFAUnsupportedError,
)


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


def mapped_read(error: Exception, what: str) -> ConsumerError:
    """Translate an error of reading an object, which may be because there is none."""
    if isinstance(error, ClientError) and error_code(error) in _MISSING:
        return Permanent(ErrorCode.OBJECT_MISSING, _described(error, what))
    if isinstance(error, ClientError) and error_code(error) in _OBJECT_DENIED:
        return ObjectDenied(f"{_described(error, what)}; {_CHECK_ACCESS}")
    return mapped(error, what)


def mapped(error: Exception, what: str) -> Transient:
    """Translate an AWS error; `what` says what was being done, for the message."""
    if isinstance(error, ClientError):
        return _mapped_answer(error, what)
    if isinstance(error, CapacityNotAvailableError):
        return Throttled(f"{what}: {error}")
    if isinstance(error, _NO_CREDENTIALS):
        return AccessDenied(f"{what}: {error}; set AWS_ACCESS_KEY_ID or give the task a role")
    if isinstance(error, _UNREACHABLE):
        return StorageUnavailable(f"{what}: {type(error).__name__}: {error}")
    return Internal(f"{what}: {type(error).__name__}: {error}")


def _described(error: ClientError, what: str) -> str:
    return f"{what}: {error_code(error)}: {error.response.get('Error', {}).get('Message', '')}"


def _mapped_answer(error: ClientError, what: str) -> Transient:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = _described(error, what)
    if code in _THROTTLED or status == 429:
        return Throttled(message)
    if code in _DENIED or status in (401, 403, 404):
        return AccessDenied(f"{message}; {_CHECK_ACCESS}")
    if status >= 500 or code in ("RequestTimeout", "InternalError"):
        return StorageUnavailable(message)
    return Internal(message)
