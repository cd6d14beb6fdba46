"""The lake on S3: the only module that knows S3's client."""

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.handlers import set_list_objects_encoding_type_url

from producer.aws.errors import is_missing, is_outdated, lake_error
from producer.lake import CONTENT_TYPE, LakeEntry, LakeObject, Page
from producer.lease_table import Tagged
from producer.sending.init_lake import BucketSettings
from producer.settings import Settings
from runtime.aws_clients import open_client
from runtime.aws_errors import AWS_ERRORS

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import PutObjectRequestTypeDef

_NEVER_SET = (
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
)


@asynccontextmanager
async def open_lake(settings: Settings, *, concurrency: int) -> AsyncIterator["S3Lake"]:
    """Open a client for the bucket for the block; connects on the first call.

    Args:
        settings: Bucket, address and credentials; the SDK finds what they leave out.
        concurrency: How many calls may be under way at once.

    Raises:
        AwsUnusable: The SDK cannot make a client of its configuration.
    """
    limits = settings.lake_timeout_seconds, settings.lake_max_attempts
    async with open_client("s3", settings, concurrency, *limits) as client:
        # Otherwise listed keys come URL-encoded, which LocalStack compares with a plain StartAfter.
        client.meta.events.unregister(
            "before-parameter-build.s3.ListObjectsV2", set_list_objects_encoding_type_url
        )
        yield S3Lake(client, settings.bucket_name)


class S3Lake:
    """One bucket: a `Lake`, a `LeaseTable` and a `Bucket`, whose protocols say what calls do."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put(self, obj: LakeObject) -> LakeEntry:
        """Write one object, replacing what lies under its key; safe to repeat.

        Raises:
            LakeUnavailable: Every attempt of the SDK failed; the object may have been written.
            LakeRefused: S3 does not accept this object.
            LakeClosed: No bucket, or no permission.
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
        with self._mapped_errors():
            written = await self._client.put_object(**request)
        return LakeEntry(
            key=obj.key,
            size_bytes=len(obj.body),
            etag=written.get("ETag", "").strip('"') or None,
            last_modified=datetime.now(UTC),
            version_id=written.get("VersionId"),
        )

    async def list_page(self, prefix: str, after: str) -> Page:
        """Return up to 1,000 objects; needs `s3:ListBucket`."""
        with self._mapped_errors():
            page = await self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=after
            )
        entries = tuple(
            LakeEntry(
                key=found["Key"],
                size_bytes=found["Size"],
                etag=found.get("ETag", "").strip('"') or None,
                last_modified=found["LastModified"],
            )
            for found in page.get("Contents", ())
        )
        return Page(entries, is_last=not page["IsTruncated"])

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        """Return an object's metadata; needs `s3:GetObject`."""
        with self._mapped_errors():
            try:
                head = await self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if is_missing(error):
                    return None
                raise
        return head["Metadata"]

    async def read_tagged(self, key: str) -> Tagged:
        """Return an object with its ETag and S3's time; needs `s3:GetObject`."""
        with self._mapped_errors():
            try:
                found = await self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if is_missing(error):
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
                if is_outdated(error) or (tag is not None and is_missing(error)):
                    return False
                raise
        return True

    async def put_marker(self, key: str) -> None:
        """Write a folder marker, an empty object."""
        with self._mapped_errors():
            await self._client.put_object(Bucket=self._bucket, Key=key, Body=b"")

    async def bucket_settings(self) -> BucketSettings:
        """Return the bucket's settings; None for those that may not be read."""
        name = self._bucket
        with self._mapped_errors():
            versioning = await _setting(self._client.get_bucket_versioning(Bucket=name))
            encryption = await _setting(self._client.get_bucket_encryption(Bucket=name))
            block = await _setting(self._client.get_public_access_block(Bucket=name))
        blocked = block and block.get("PublicAccessBlockConfiguration", {})
        return BucketSettings(
            versioning=None if versioning is None else versioning.get("Status") == "Enabled",
            encryption=None if encryption is None else bool(encryption),
            public_access_blocked=None
            if blocked is None
            else len(blocked) == 4 and all(blocked.values()),
        )

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except AWS_ERRORS as error:
            raise lake_error(error, self._bucket) from error


async def _setting(call: Awaitable[Any]) -> dict[str, Any] | None:
    """Return a setting, empty if it was never set, None if it may not be read."""
    try:
        return dict(await call)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _NEVER_SET:
            return {}
        if code in ("AccessDenied", "MethodNotAllowed", "NotImplemented"):
            return None
        raise


def _time_of(answer: Any) -> datetime:
    """Return S3's time of an answer; ours if a stand-in sends none."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)
