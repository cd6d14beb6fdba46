"""The lake on S3: the only module that knows aiobotocore."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import (
    ConnectionError as SdkConnectionError,
)

from producer.errors import LakeClosedError, LakeError, LakeRefusedError, LakeUnavailableError
from producer.lake import CONTENT_TYPE, LakeObject
from producer.settings import Settings

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import PutObjectRequestTypeDef

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_CLOSED = frozenset(
    {
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidBucketName",
        "InvalidToken",
        "NoSuchBucket",
        "NotSignedUp",
        "PermanentRedirect",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
_THROTTLED = frozenset(
    {"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests"}
)


@asynccontextmanager
async def open_lake(settings: Settings, *, concurrency: int) -> AsyncIterator["S3Lake"]:
    """Hold a client for the bucket while the block runs; connects on the first write.

    Args:
        settings: Bucket, address and credentials; the SDK finds what they leave out.
        concurrency: How many writes may be under way at once.

    Raises:
        LakeClosedError: The SDK cannot build a client from its configuration.
    """
    try:
        client_context = get_session().create_client(
            "s3", **_client_arguments(settings, concurrency)
        )
        client = await client_context.__aenter__()
    except (BotoCoreError, ValueError) as exc:
        raise LakeClosedError(f"the AWS configuration is unusable: {exc}") from exc
    try:
        yield S3Lake(client, settings.bucket_name)
    finally:
        await client_context.__aexit__(None, None, None)


def _client_arguments(settings: Settings, concurrency: int) -> dict[str, Any]:
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


class S3Lake:
    """One bucket, written to."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put(self, obj: LakeObject) -> None:
        """Write one object, replacing what lies under its key; safe to repeat.

        Raises:
            LakeUnavailableError: S3 failed on every attempt of the SDK; the object may be there.
            LakeRefusedError: S3 will not take this object.
            LakeClosedError: No bucket, or no permission.
        """
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": obj.key,
            "Body": obj.body,
            "ContentType": CONTENT_TYPE,
            "Metadata": obj.ascii_metadata(),
        }
        if obj.content_encoding is not None:
            request["ContentEncoding"] = obj.content_encoding
        try:
            await self._client.put_object(**request)
        except (ClientError, BotoCoreError) as exc:
            raise map_error(exc, self._bucket) from exc


def map_error(exc: ClientError | BotoCoreError, bucket: str) -> LakeError:
    """Say what an SDK error means for the run; the caller raises it `from` the original."""
    if isinstance(exc, ClientError):
        return _map_answer(exc, bucket)
    if isinstance(exc, (HTTPClientError, SdkConnectionError)):
        return LakeUnavailableError(f"S3 cannot be reached, check AWS_ENDPOINT_URL: {exc}")
    return LakeClosedError(f"S3 cannot be used: {exc}")


def _map_answer(exc: ClientError, bucket: str) -> LakeError:
    code = exc.response.get("Error", {}).get("Code", "")
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        return LakeClosedError(f"there is no bucket {bucket}; create it or correct BUCKET_NAME")
    if code in _CLOSED or status in (401, 403):
        return LakeClosedError(f"S3 answers {code} for bucket {bucket}; check the AWS credentials")
    if code in _THROTTLED or status == 429 or status >= 500:
        return LakeUnavailableError(f"S3 answers {code or status} after every attempt")
    return LakeRefusedError(f"S3 refuses the object: {code or status}")
