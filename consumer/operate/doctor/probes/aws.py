"""Asking AWS without changing anything.

Permissions are tried by calls that cannot be carried out as they stand, for what they say: AWS
refuses us if we may not, and the call itself otherwise. Nothing is received, sent or written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from consumer.operate.doctor.facts import LakeFacts, QueueFacts, Unknown
from consumer.operate.doctor.refusals import aws_refusal
from runtime.aws_errors import AWS_ERRORS, error_code
from schemas.keys import ERRORS_PREFIX, RAW_PREFIX, is_folder_marker

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_sqs import SQSClient

_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException"})
_NO_RECEIPT = "doctor"
_NO_KEY = f"{RAW_PREFIX}doctor"


async def probe_queue(client: "SQSClient", url: str, variable: str) -> QueueFacts | Unknown:
    """Learn a queue's attributes, and which of our calls it refuses.

    Args:
        client: For SQS.
        url: The queue's.
        variable: The setting that names it.
    """
    try:
        answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    except AWS_ERRORS as error:
        return aws_refusal(error, "sqs:GetQueueAttributes", url, variable)
    attributes = {str(name): value for name, value in answer.get("Attributes", {}).items()}
    tries: Mapping[str, Callable[[], Awaitable[Any]]] = {
        # One more than SQS hands out, a batch without entries, receipts that nobody gave.
        "sqs:ReceiveMessage": lambda: client.receive_message(QueueUrl=url, MaxNumberOfMessages=11),
        "sqs:SendMessage": lambda: client.send_message_batch(QueueUrl=url, Entries=[]),
        "sqs:DeleteMessage": lambda: client.delete_message(QueueUrl=url, ReceiptHandle=_NO_RECEIPT),
        "sqs:ChangeMessageVisibility": lambda: client.change_message_visibility(
            QueueUrl=url, ReceiptHandle=_NO_RECEIPT, VisibilityTimeout=0
        ),
    }
    denied = await asyncio.gather(*(_is_denied(call) for call in tries.values()))
    return QueueFacts(
        url, attributes, tuple(action for action, no in zip(tries, denied, strict=True) if no)
    )


async def probe_lake(client: "S3Client", bucket: str) -> LakeFacts | Unknown:
    """Learn where a bucket is, what it announces, and what it refuses us."""
    try:
        answer: Mapping[str, Any] = await client.head_bucket(Bucket=bucket)
    except AWS_ERRORS as error:
        return aws_refusal(error, "s3:ListBucket", f"s3://{bucket}", "BUCKET_NAME")
    notification, reading, writing = await asyncio.gather(
        _notification(client, bucket), _reading(client, bucket), _writing(client, bucket)
    )
    return LakeFacts(answer.get("BucketRegion"), notification, reading, writing)


async def _is_denied(call: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await call()
    except AWS_ERRORS as error:
        return error_code(error) in _DENIED
    return False


async def _notification(client: "S3Client", bucket: str) -> Mapping[str, Any] | Unknown:
    try:
        answer: Any = await client.get_bucket_notification_configuration(Bucket=bucket)
    except AWS_ERRORS as error:
        resource = f"s3://{bucket}"
        return aws_refusal(error, "s3:GetBucketNotification", resource, "BUCKET_NAME")
    return dict(answer)


async def _reading(client: "S3Client", bucket: str) -> Unknown | None:
    """Read one byte of a document, in its version; or ask for a document that is not there."""
    action, resource = "s3:GetObject", f"s3://{bucket}/{RAW_PREFIX}*"
    try:
        listed = await client.list_objects_v2(Bucket=bucket, Prefix=RAW_PREFIX, MaxKeys=20)
        keys = [one["Key"] for one in listed.get("Contents", []) if one["Size"]]
        key = next((key for key in keys if not is_folder_marker(key)), None)
        if key is None:
            await client.head_object(Bucket=bucket, Key=_NO_KEY)
            return None
        answer = await client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")
        async with answer["Body"] as body:
            await body.read()
        if (version := answer.get("VersionId")) not in (None, "null"):
            action = "s3:GetObjectVersion"
            await client.head_object(Bucket=bucket, Key=key, VersionId=version)
    except AWS_ERRORS as error:
        # With s3:ListBucket and s3:GetObject, what is not there is 404; without, 403.
        if error_code(error) == "404":
            return None
        return aws_refusal(error, action, resource, "BUCKET_NAME")
    return None


async def _writing(client: "S3Client", bucket: str) -> Unknown | None:
    """Ask to create the folder marker only if it is not there, when it is."""
    resource = f"s3://{bucket}/{ERRORS_PREFIX}*"
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
        if error_code(error) == "PreconditionFailed":
            return None
        return aws_refusal(error, "s3:PutObject", resource, "BUCKET_NAME")
    return None
