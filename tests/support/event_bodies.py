"""Message bodies as AWS writes them: native, SNS-wrapped and EventBridge."""

import json
from datetime import UTC, datetime
from typing import Any

TIME = datetime(2024, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def native_record(
    key: str = "raw/erp/a.json",
    version: str = "2.1",
    name: str = "ObjectCreated:Put",
    **object_: Any,
) -> dict[str, Any]:
    """Write a record as in the S3 User Guide, "Event message structure"."""
    return {
        "eventVersion": version,
        "eventSource": "aws:s3",
        "awsRegion": "sa-east-1",
        "eventTime": "2024-01-02T03:04:05.678Z",
        "eventName": name,
        "userIdentity": {"principalId": "AWS:AIDA:pos"},
        "requestParameters": {"sourceIPAddress": "10.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "raw-json",
            "bucket": {
                "name": "lake",
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": "arn:aws:s3:::lake",
            },
            "object": {
                "key": key,
                "size": 1024,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "sequencer": "0055AED6DCD90281E5",
                **object_,
            },
        },
    }


def native(*records: Any) -> str:
    return json.dumps({"Records": list(records)})


def sns(message: str) -> str:
    """Wrap a message as SNS does without raw delivery."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:sa-east-1:123456789012:lake",
            "Subject": "Amazon S3 Notification",
            "Message": message,
            "Timestamp": "2024-01-02T03:04:06.000Z",
            "SignatureVersion": "1",
        }
    )


def eventbridge(key: str, detail_type: str = "Object Created", **object_: Any) -> str:
    """Write an event as in the S3 User Guide, "Using EventBridge"."""
    return json.dumps(
        {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": detail_type,
            "source": "aws.s3",
            "account": "111122223333",
            "time": "2024-01-02T03:04:05Z",
            "region": "sa-east-1",
            "resources": ["arn:aws:s3:::lake"],
            "detail": {
                "version": "0",
                "bucket": {"name": "lake"},
                "object": {
                    "key": key,
                    "size": 5,
                    "etag": "b1946ac92492d2347c6235b4d2611184",
                    "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
                    "sequencer": "617f08299329d189",
                    **object_,
                },
                "request-id": "N4N7GDK58NMKJ12R",
                "requester": "123456789012",
                "reason": "PutObject",
            },
        }
    )


TEST_EVENT = json.dumps(
    {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2024-01-02T03:04:05.678Z",
        "Bucket": "lake",
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
    }
)
