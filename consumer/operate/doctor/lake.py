"""The bucket: where it is, what it announces, and whether it may be read and written."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consumer.operate.doctor.aws import ASKING_ERRORS, open_impatient, refusal
from consumer.operate.doctor.findings import Finding, Unknown, fine, not_checked, problem
from consumer.operate.doctor.roles import ALL, Needs
from consumer.settings import ConsumerSettings
from runtime.aws_errors import AWS_ERRORS, error_code
from schemas.keys import ERRORS_PREFIX, is_folder_marker

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client


@dataclass(frozen=True, slots=True)
class LakeFacts:
    """The bucket; None is what was not refused, or not asked for as the role has no need to."""

    region: str | None
    notification: Mapping[str, Any] | Unknown | None
    reading: Unknown | None = None
    writing: Unknown | None = None
    logs: Unknown | None = None


async def probe_lake(settings: ConsumerSettings, needs: Needs = ALL) -> LakeFacts | Unknown:
    """Learn where the bucket is, what it announces, and what it refuses us."""
    bucket = settings.bucket_name
    try:
        async with open_impatient("s3", settings) as client:
            answer = await client.head_bucket(Bucket=bucket)
            prefixes = settings.layout.prefixes
            facts: Any = await asyncio.gather(
                _notification(client, bucket) if needs.looks_at_notification else _nothing(),
                _reading(client, bucket, prefixes),
                _writing(client, bucket) if needs.writes_logs else _nothing(),
                _reading_logs(client, bucket) if needs.reads_logs else _nothing(),
            )
            return LakeFacts(answer.get("BucketRegion"), *facts)
    except ASKING_ERRORS as error:
        return refusal(error, "s3:ListBucket", f"s3://{bucket}", "BUCKET_NAME")


async def _nothing() -> None:
    """Ask for nothing."""


async def _notification(client: "S3Client", bucket: str) -> Mapping[str, Any] | Unknown:
    try:
        answer: Any = await client.get_bucket_notification_configuration(Bucket=bucket)
    except AWS_ERRORS as error:
        return refusal(error, "s3:GetBucketNotification", f"s3://{bucket}", "BUCKET_NAME")
    return dict(answer)


async def _reading(client: "S3Client", bucket: str, prefixes: Sequence[str]) -> Unknown | None:
    refused = [await _reading_under(client, bucket, prefix) for prefix in prefixes]
    return next(filter(None, refused), None)


async def _reading_logs(client: "S3Client", bucket: str) -> Unknown | None:
    return await _reading_under(client, bucket, ERRORS_PREFIX, by_version=False)


async def _reading_under(
    client: "S3Client", bucket: str, prefix: str, *, by_version: bool = True
) -> Unknown | None:
    """Read one byte of an object, in its version too; or ask for one that is not there."""
    action = "s3:GetObject"
    try:
        listed = await client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=20)
        keys = [one["Key"] for one in listed.get("Contents", []) if one["Size"]]
        key = next((key for key in keys if not is_folder_marker(key)), None)
        if key is None:
            await client.head_object(Bucket=bucket, Key=f"{prefix}doctor")
            return None
        answer = await client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")
        async with answer["Body"] as body:
            await body.read()
        if by_version and (version := answer.get("VersionId")) not in (None, "null"):
            action = "s3:GetObjectVersion"
            await client.head_object(Bucket=bucket, Key=key, VersionId=version)
    except AWS_ERRORS as error:
        # With s3:ListBucket and s3:GetObject, what is not there is 404; without, 403.
        if error_code(error) != "404":
            return refusal(error, action, f"s3://{bucket}/{prefix}*", "BUCKET_NAME")
    return None


async def _writing(client: "S3Client", bucket: str) -> Unknown | None:
    """Ask to create the folder marker only if it is not there, when it is."""
    try:
        listed = await client.list_objects_v2(Bucket=bucket, Prefix=ERRORS_PREFIX, MaxKeys=1)
        found = [(one["Key"], one["Size"]) for one in listed.get("Contents", [])]
        if found != [(ERRORS_PREFIX, 0)]:
            return Unknown(
                f"there is no folder marker {ERRORS_PREFIX} to try with",
                "run `producer init-lake`, then `consumer doctor` again",
            )
        await client.put_object(Bucket=bucket, Key=ERRORS_PREFIX, Body=b"", IfNoneMatch="*")
    except AWS_ERRORS as error:
        if error_code(error) != "PreconditionFailed":
            return refusal(error, "s3:PutObject", f"s3://{bucket}/{ERRORS_PREFIX}*", "BUCKET_NAME")
    return None


def check_lake(
    lake: LakeFacts | Unknown, settings: ConsumerSettings, needs: Needs = ALL
) -> Iterator[Finding]:
    """Check the bucket; permissions as far as they can be tried without leaving a trace."""
    bucket, region = settings.bucket_name, settings.aws_region
    if isinstance(lake, Unknown):
        yield problem("bucket", lake.reason, lake.remedy)
        yield not_checked("bucket permissions", "the bucket could not be asked", "see above")
        return
    if lake.region not in (None, region):
        found = f"s3://{bucket} is in {lake.region}, AWS_REGION is {region}"
        remedy = f"set AWS_REGION={lake.region}; S3 announces only to queues of its own region"
        yield problem("bucket", found, remedy)
    else:
        yield fine("bucket", f"s3://{bucket} answers")
    for check, what, refused, is_needed in (
        ("reading", f"{settings.layout.place} may be read", lake.reading, True),
        ("error logs", f"{ERRORS_PREFIX}* may be written", lake.writing, needs.writes_logs),
        ("error logs", f"{ERRORS_PREFIX}* may be read", lake.logs, needs.reads_logs),
    ):
        if not is_needed:
            continue
        if refused is None:
            yield fine(check, what)
        else:
            judged = problem if refused.is_denial else not_checked
            yield judged(check, refused.reason, refused.remedy)
