"""Create the lake and its queues: bucket, folders, DLQ, main queue, policy, notification.

LocalStack runs this file when it is ready, in the container and in devstack alike; it also runs
by hand against any endpoint (`AWS_ENDPOINT_URL=… python 10_lake_and_queues.py`). It stands alone:
boto3 and the standard library only. Every step sets the wanted state whatever was there before,
so running it again repairs what drifted. Names come from `BUCKET_NAME` and from the last part
of `QUEUE_URL` and `DLQ_URL`; what `KEY_TEMPLATES` adds to `raw/` is announced too.
"""

import json
import os
import re
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

FOLDERS = (
    "raw/",
    "raw/erp/",
    "raw/api_responses/",
    "processed/",
    "logs/",
    "logs/errors/",
)
WATCHED_PREFIX = "raw/"
NOTIFICATION_ID = "coco-ingest-{}"
MAX_RECEIVE_COUNT = 5
VISIBILITY_TIMEOUT_SECONDS = 60
RECEIVE_WAIT_SECONDS = 20
DAY_SECONDS = 24 * 60 * 60
# A message keeps its first send time when the redrive policy moves it, so the DLQ must keep
# messages longer than the main queue or a late one would arrive there already expired.
QUEUE_RETENTION_SECONDS = 4 * DAY_SECONDS
DLQ_RETENTION_SECONDS = 14 * DAY_SECONDS
DEFAULT_REGION = "us-east-1"
DEFAULT_GATEWAY = "0.0.0.0:4566"


class Names(NamedTuple):
    """What to call the bucket and the two queues, and which prefixes to announce."""

    bucket: str
    queue: str
    dlq: str
    prefixes: tuple[str, ...] = (WATCHED_PREFIX,)


class Wired(NamedTuple):
    """Where the two queues are."""

    queue_url: str
    dlq_url: str


def wire(s3: "S3Client", sqs: "SQSClient", names: Names) -> Wired:
    """Bring bucket, queues and notification into the wanted state; safe to repeat.

    The folder markers come before the notification, so that they announce nothing.

    Raises:
        botocore.exceptions.ClientError: the endpoint refused a step; the earlier ones stay done.
    """
    ensure_bucket(s3, names.bucket)
    ensure_folders(s3, names.bucket)
    dlq_url = ensure_queue(sqs, names.dlq, dlq_attributes())
    dlq_arn = queue_arn(sqs, dlq_url)
    queue_url = ensure_queue(sqs, names.queue, queue_attributes(dlq_arn))
    arn = queue_arn(sqs, queue_url)
    policy = json.dumps(queue_policy(arn, names.bucket))
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
    ensure_notification(s3, names.bucket, arn, names.prefixes)
    return Wired(queue_url, dlq_url)


def ensure_bucket(s3: "S3Client", bucket: str) -> None:
    """Create the bucket unless this account already has it."""
    region = s3.meta.region_name
    try:
        if region == DEFAULT_REGION:
            s3.create_bucket(Bucket=bucket)
        else:
            # us-east-1 is the one region that S3 refuses to be told explicitly.
            where = {"LocationConstraint": region}
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)  # type: ignore[arg-type]  # a region from the environment is a plain str
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise


def ensure_folders(s3: "S3Client", bucket: str) -> None:
    """Create the missing folder markers; the ones that are there are not written again."""
    for folder in FOLDERS:
        try:
            s3.head_object(Bucket=bucket, Key=folder)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            s3.put_object(Bucket=bucket, Key=folder, Body=b"")


def dlq_attributes() -> dict[str, str]:
    """Return the dead-letter queue's attributes, as SQS spells them."""
    return {
        "MessageRetentionPeriod": str(DLQ_RETENTION_SECONDS),
        "VisibilityTimeout": str(VISIBILITY_TIMEOUT_SECONDS),
    }


def queue_attributes(dlq_arn: str) -> dict[str, str]:
    """Return the main queue's attributes, as SQS spells them."""
    redrive = {"deadLetterTargetArn": dlq_arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
    return {
        "MessageRetentionPeriod": str(QUEUE_RETENTION_SECONDS),
        "ReceiveMessageWaitTimeSeconds": str(RECEIVE_WAIT_SECONDS),
        "RedrivePolicy": json.dumps(redrive),
        "VisibilityTimeout": str(VISIBILITY_TIMEOUT_SECONDS),
    }


def ensure_queue(sqs: "SQSClient", name: str, attributes: dict[str, str]) -> str:
    """Create the queue if it is missing, set its attributes, and return its URL."""
    try:
        # Creating an existing queue with other attributes is an error: look first.
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)  # type: ignore[arg-type]  # the stub wants literal keys
    return url


def queue_arn(sqs: "SQSClient", queue_url: str) -> str:
    """Return the queue's ARN."""
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return answer["Attributes"]["QueueArn"]


def queue_policy(arn: str, bucket: str) -> dict[str, object]:
    """Let S3, and only S3 on behalf of this bucket, send to the queue."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "this-bucket-announces-objects",
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
            }
        ],
    }


def watched_prefixes(templates: str) -> tuple[str, ...]:
    """Return the prefixes to announce: raw/, and what the keys of KEY_TEMPLATES begin with.

    None begins with another: S3 takes no notifications that overlap.
    """
    is_json = templates.lstrip().startswith("[")
    texts = json.loads(templates) if is_json else templates.split(",")
    keys = [re.sub(r"^(erp|get\w+)=", "", text.strip()) for text in texts if text.strip()]
    prefixes: tuple[str, ...] = ()
    for prefix in sorted({WATCHED_PREFIX, *(key.partition("{")[0] for key in keys)}):
        if not prefix.startswith(prefixes):
            prefixes += (prefix,)
    return prefixes


def ensure_notification(
    s3: "S3Client", bucket: str, arn: str, prefixes: tuple[str, ...] = (WATCHED_PREFIX,)
) -> None:
    """Announce every new object under the prefixes on the queue; others' notifications are kept."""
    current = s3.get_bucket_notification_configuration(Bucket=bucket)
    others = [
        entry
        for entry in current.get("QueueConfigurations", [])
        if entry["QueueArn"] != arn or not entry["Id"].startswith(NOTIFICATION_ID.format(""))
    ]
    ours = [
        {
            "Id": NOTIFICATION_ID.format(prefix.rstrip("/")),
            "QueueArn": arn,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
        }
        for prefix in prefixes
    ]
    wanted = {key: value for key, value in current.items() if key != "ResponseMetadata"}
    wanted["QueueConfigurations"] = [*others, *ours]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration=wanted,  # type: ignore[arg-type]  # the answer's own shape, sent back
    )


def names_from_environment() -> Names:
    """Read the names; QUEUE_URL and DLQ_URL count by their last part."""
    queue = os.environ.get("QUEUE_URL", "").rpartition("/")[2] or "coco-ingest"
    return Names(
        bucket=os.environ.get("BUCKET_NAME") or "coco-data-lake",
        queue=queue,
        dlq=os.environ.get("DLQ_URL", "").rpartition("/")[2] or f"{queue}-dlq",
        prefixes=watched_prefixes(os.environ.get("KEY_TEMPLATES", "")),
    )


def clients_from_environment() -> tuple["S3Client", "SQSClient"]:
    """Return clients of AWS_ENDPOINT_URL, or else of the LocalStack that runs this hook.

    Inside LocalStack nobody sets credentials and any will do; elsewhere the SDK looks them up.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or DEFAULT_REGION
    session = boto3.Session(region_name=region)
    if not endpoint:
        gateway = os.environ.get("GATEWAY_LISTEN") or DEFAULT_GATEWAY
        endpoint = f"http://127.0.0.1:{gateway.split(',')[0].rpartition(':')[2]}"
        session = boto3.Session("test", "test", region_name=region)
    return (
        session.client("s3", endpoint_url=endpoint),
        session.client("sqs", endpoint_url=endpoint),
    )


def main() -> None:
    """Wire the names from the environment and say what is there now."""
    names = names_from_environment()
    wired = wire(*clients_from_environment(), names)
    announced = ", ".join(names.prefixes)
    print(f"lake ready: s3://{names.bucket} announces {announced} on {wired.queue_url}")  # noqa: T201 - goes to LocalStack's log


# LocalStack executes the file with empty globals, where __name__ resolves to "builtins".
if __name__ in ("__main__", "builtins"):
    main()
