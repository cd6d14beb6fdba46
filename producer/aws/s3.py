"""The lake on S3: the only module that knows S3's client."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from producer.aws.errors import lake_error
from producer.lake import CONTENT_TYPE, LakeEntry, LakeObject
from producer.lease_table import Tagged
from producer.settings import Settings
from runtime.aws_clients import open_client
from runtime.aws_errors import AWS_ERRORS, error_code

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

_MISSING = ("404", "NoSuchKey")  # HEAD answers have a status and no code
# A conditional write that came second: to a finished one, or to one under way
_OUTDATED = ("PreconditionFailed", "ConditionalRequestConflict", "412")
_NEVER_SET = (
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
)


@asynccontextmanager
async def open_lake(settings: Settings, *, concurrency: int) -> AsyncIterator["S3Lake"]:
    """Open a client for the bucket for the block; connects on the first call."""
    limits = settings.lake_timeout_seconds, settings.lake_max_attempts
    async with open_client("s3", settings, concurrency, *limits) as client:
        yield S3Lake(client, settings.bucket_name)


class S3Lake:
    """One bucket: a `Lake` and a `LeaseTable`, whose protocols say what calls do."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put(self, obj: LakeObject) -> LakeEntry:
        """Write one object; after a LakeUnavailable it may have been written all the same."""
        encoding: Any = {"ContentEncoding": obj.content_encoding} if obj.content_encoding else {}
        with self._mapped_errors():
            written = await self._client.put_object(
                Bucket=self._bucket,
                Key=obj.key,
                Body=obj.body,
                ContentType=CONTENT_TYPE,
                Metadata=obj.ascii_metadata(),
                **encoding,
            )
        return LakeEntry(
            key=obj.key,
            size_bytes=len(obj.body),
            etag=written.get("ETag", "").strip('"') or None,
            last_modified=datetime.now(UTC),
            version_id=written.get("VersionId"),
        )

    async def entries(self, prefix: str, after: str = "") -> AsyncIterator[LakeEntry]:
        """List objects, 1,000 with one request; needs `s3:ListBucket`."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._mapped_errors():
            async for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, StartAfter=after):
                for found in page.get("Contents", ()):
                    yield LakeEntry(
                        key=found["Key"],
                        size_bytes=found["Size"],
                        etag=found.get("ETag", "").strip('"') or None,
                        last_modified=found["LastModified"],
                    )

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        """Return an object's metadata; needs `s3:GetObject`."""
        with self._mapped_errors():
            try:
                head = await self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise
        return head["Metadata"]

    async def read_tagged(self, key: str) -> Tagged:
        """Return an object with its ETag and S3's time; needs `s3:GetObject`."""
        with self._mapped_errors():
            try:
                found = await self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return Tagged(None, None, _time_of(error.response))
                raise
            async with found["Body"] as body:
                return Tagged(await body.read(), found["ETag"], _time_of(found))

    async def write_if(self, key: str, body: bytes, tag: str | None) -> bool:
        """Write an object if its ETag is still `tag`; needs `s3:PutObject`."""
        on: dict[str, Any] = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        with self._mapped_errors():
            try:
                await self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=body, ContentType=CONTENT_TYPE, **on
                )
            except ClientError as error:
                code = error_code(error)
                if code in _OUTDATED or (tag is not None and code in _MISSING):
                    return False
                raise
        return True

    async def bucket_settings(self) -> dict[str, bool | None]:
        """Return whether the bucket's settings are on; None for those that may not be read.

        Needs `s3:GetBucketVersioning`, `s3:GetEncryptionConfiguration`,
        `s3:GetBucketPublicAccessBlock` and `s3:GetBucketNotification`.
        """
        name = self._bucket
        with self._mapped_errors():
            return {
                "versioning": await _is_on(
                    self._client.get_bucket_versioning(Bucket=name),
                    lambda found: found.get("Status") == "Enabled",
                ),
                "default encryption": await _is_on(
                    self._client.get_bucket_encryption(Bucket=name), lambda _found: True
                ),
                "public access block": await _is_on(
                    self._client.get_public_access_block(Bucket=name),
                    lambda found: (
                        list(found["PublicAccessBlockConfiguration"].values()) == [True] * 4
                    ),
                ),
                "notification": await _is_on(
                    self._client.get_bucket_notification_configuration(Bucket=name),
                    lambda found: bool(found.keys() - {"ResponseMetadata"}),
                ),
            }

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except AWS_ERRORS as error:
            raise lake_error(error, self._bucket) from error


async def _is_on(call: Awaitable[Any], reads: Callable[[Any], bool]) -> bool | None:
    """Return whether a setting is on; None if it may not be read."""
    try:
        return reads(await call)
    except ClientError as error:
        code = error_code(error)
        if code in _NEVER_SET:
            return False
        if code in ("AccessDenied", "MethodNotAllowed", "NotImplemented"):
            return None
        raise


def _time_of(answer: Any) -> datetime:
    """Return S3's time of an answer; ours if a stand-in sends none."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)
