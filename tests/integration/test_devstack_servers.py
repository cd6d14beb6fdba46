"""What the session's servers promise to every other test."""

import json

from tests.conftest import Lake


def test_the_lake_announces_raw_objects_and_nothing_else(lake: Lake) -> None:
    """A new object under raw/ becomes a message; folders made before and other prefixes do not."""
    lake.s3.put_object(Bucket=lake.bucket, Key="processed/a.json", Body=b"{}")
    lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/a.json", Body=b"{}")
    keys = []
    while messages := lake.sqs.receive_message(
        QueueUrl=lake.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
    ).get("Messages"):
        keys += [
            json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] for message in messages
        ]
    assert keys == ["raw/erp/a.json"]
