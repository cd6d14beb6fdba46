"""A deployment that is as it should be, for the doctor's tests to spoil."""

import json
from typing import Any

from consumer.load.migrations.schema import StoredSchema
from consumer.load.migrations.steps import schema_head
from consumer.operate.doctor.database import DatabaseFacts, TableFacts
from consumer.operate.doctor.lake import LakeFacts
from consumer.operate.doctor.queues import QueueFacts
from consumer.settings import ConsumerSettings

MAIN_ARN = "arn:aws:sqs:eu-west-1:123456789012:main"
DEAD_ARN = "arn:aws:sqs:eu-west-1:123456789012:dead"
BUCKET = "lake"
MAIN_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/main"
DEAD_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead"


def settings(**changed: Any) -> ConsumerSettings:
    """Give settings of a deployment on AWS, apart from the environment."""
    wanted = {
        "bucket_name": BUCKET,
        "queue_url": MAIN_URL,
        "dlq_url": DEAD_URL,
        "AWS_REGION": "eu-west-1",
        "aws_endpoint_url": None,
        "aws_access_key_id": None,
        "aws_secret_access_key": None,
        "db_host": "db",
        "db_name": "coco",
        "http_port": 8080,
    }
    return ConsumerSettings(_env_file=None, **(wanted | changed))


def main_queue(**changed: str) -> QueueFacts:
    """Give the main queue's facts."""
    attributes = {
        "QueueArn": MAIN_ARN,
        "MessageRetentionPeriod": "345600",
        "VisibilityTimeout": "60",
        "ReceiveMessageWaitTimeSeconds": "20",
        "MaximumMessageSize": "262144",
        "DelaySeconds": "0",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": DEAD_ARN, "maxReceiveCount": "5"}),
        "Policy": json.dumps({"Statement": [statement()]}),
    }
    return QueueFacts(MAIN_URL, attributes | changed)


def dead_queue(**changed: str) -> QueueFacts:
    """Give the dead-letter queue's facts."""
    attributes = {
        "QueueArn": DEAD_ARN,
        "MessageRetentionPeriod": "1209600",
        "VisibilityTimeout": "60",
        "MaximumMessageSize": "262144",
    }
    return QueueFacts(DEAD_URL, attributes | changed)


def statement(**changed: Any) -> dict[str, Any]:
    """Give the statement that lets S3 send to the queue."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": MAIN_ARN,
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{BUCKET}"}},
    } | changed


def notification(*prefixes: str, **changed: Any) -> dict[str, Any]:
    """Give a bucket's notification configuration, one entry for each prefix."""
    return {
        "QueueConfigurations": [
            {
                "Id": "x",
                "QueueArn": MAIN_ARN,
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": prefix}]}},
            }
            | changed
            for prefix in prefixes
        ]
    }


def lake(**changed: Any) -> LakeFacts:
    """Give the bucket's facts."""
    return LakeFacts(**({"region": "eu-west-1", "notification": notification("raw/")} | changed))


def database(**changed: Any) -> DatabaseFacts:
    """Give the database's facts."""
    wanted: dict[str, Any] = {
        "user": "coco",
        "encoding": "UTF8",
        "is_read_only": False,
        "may_create_temporary": True,
        "is_pooled_by_transaction": False,
        "is_encrypted": True,
        "schema": StoredSchema(schema_head(), schema_head()),
        "lacking": [],
        "alias_files": 1,
        "tables": [TableFacts("taxes", "coco", is_owned=True, lacking=[])],
        "server_limit": 100,
        "role_limit": -1,
        "database_limit": -1,
        "in_use": 5,
    }
    return DatabaseFacts(**(wanted | changed))
