"""The consumer as a process on a lake and a database of the test's own, and what it leaves."""

import json
from collections.abc import Mapping
from typing import Any

from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import query, run, until

CHECK = {
    "guestCheckId": 4455667788,
    "chkNum": 12,
    "opnBusDt": "2024-03-01",
    "lastUpdatedUTC": "2024-03-01T20:00:00",
    "subTtl": 80.5,
    "taxes": [{"taxNum": 7, "taxCollTtl": 5.25, "taxRate": 6.5}],
    "detailLines": [
        {
            "guestCheckLineItemId": 99887766554,
            "busDt": "2024-03-01",
            "dspTtl": 80.5,
            "menuItem": {"miNum": 31, "inclTax": 5.251234},
        }
    ],
}


def export(*checks: dict[str, Any]) -> bytes:
    """Write an ERP export of these checks."""
    document = {"curUTC": "2024-03-02T03:00:00", "locRef": "001", "guestChecks": checks}
    return json.dumps(document).encode()


def put(lake: Lake, key: str, body: bytes) -> None:
    """Put an object into the lake."""
    lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=body)


def consume(environment: dict[str, str]) -> str:
    """Migrate, work until the queue stayed empty for a second, and return the logs."""
    with_tables(environment)
    result = run("consumer", "run", "--until-idle", "1", environment=environment)
    assert result.returncode == 0, result.stderr
    return result.stderr


def ledger(environment: dict[str, str]) -> list[tuple[Any, ...]]:
    """Return key, state and error code of every object in the ledger."""
    return query(
        environment,
        "SELECT object_key, state, error_code FROM ingested_objects ORDER BY object_key, object_id",
    )


def dead_lettered(lake: Lake) -> list[Any]:
    """Return the messages of the dead-letter queue, which must hold fewer than ten."""
    answer = lake.sqs.receive_message(
        QueueUrl=lake.dlq_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return answer.get("Messages", [])


def depth(lake: Lake, url: str) -> int:
    """Return how many messages a queue holds, in flight or delayed ones included."""
    answer = lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(value) for name, value in answer.items() if name.startswith("ApproximateNumber"))


def lose_events(lake: Lake, count: int) -> None:
    """Purge the queue once S3 has announced what was put, which it does in its own time."""
    until(lambda: depth(lake, lake.queue_url) == count, "the objects are announced")
    lake.sqs.purge_queue(QueueUrl=lake.queue_url)


def put_checks(lake: Lake, numbers: range) -> None:
    """Put an export of one check for each number."""
    for number in numbers:
        check = {"guestCheckId": number, "lastUpdatedUTC": "2024-01-01T00:00:00"}
        body = json.dumps({"locRef": "1", "guestChecks": [check]})
        lake.s3.put_object(Bucket=lake.bucket, Key=f"raw/erp/{number}.json", Body=body)


def loaded(environment: Mapping[str, str]) -> int:
    """Return how many objects have an end in the ledger."""
    [(count,)] = query(environment, "SELECT count(*) FROM ingested_objects")
    return int(count)
