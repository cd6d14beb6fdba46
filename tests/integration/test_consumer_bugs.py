"""A bug of ours: its message is retried, the redrive policy dead-letters it, and everybody can see why."""

import json
import subprocess
import sys

from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, query

# The consumer, with a bug that one of the documents meets.
WITH_A_BUG = """
import consumer.ingest.prepare as preparation
from consumer.__main__ import main

decode = preparation.decode

def buggy(data):
    if b"unlucky" in data:
        raise KeyError("Very private: " + data.decode())
    return decode(data)

preparation.decode = buggy
main()
"""
MAX_RECEIVES = 2


def document(number: int, name: str) -> bytes:
    check = {"guestCheckId": number, "lastUpdatedUTC": "2024-01-01T00:00:00", "chkName": name}
    return json.dumps({"locRef": "1", "guestChecks": [check]}).encode()


def test_a_bug_reaches_the_dlq_with_a_log_and_a_ledger_row_and_its_neighbours_the_tables(
    environment: dict[str, str], lake: Lake
) -> None:
    with_tables(environment)
    dlq_arn = lake.sqs.get_queue_attributes(QueueUrl=lake.dlq_url, AttributeNames=["QueueArn"])
    redrive = {
        "deadLetterTargetArn": dlq_arn["Attributes"]["QueueArn"],
        "maxReceiveCount": MAX_RECEIVES,
    }
    lake.sqs.set_queue_attributes(
        QueueUrl=lake.queue_url, Attributes={"RedrivePolicy": json.dumps(redrive)}
    )
    lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/good.json", Body=document(1, "lucky"))
    lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/bad.json", Body=document(2, "unlucky"))
    worked = subprocess.run(
        [sys.executable, "-c", WITH_A_BUG, "run", "--until-idle", "1"],
        env=environment | {"RETRY_BASE_SECONDS": "0.1", "RETRY_MAX_SECONDS": "1"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert worked.returncode == 0, worked.stderr
    assert query(
        environment,
        "SELECT object_key, state, error_code, attempts FROM ingested_objects ORDER BY 1 DESC",
    ) == [
        ("raw/erp/good.json", "loaded", None, 1),
        ("raw/erp/bad.json", "dead_lettered", "internal", MAX_RECEIVES),
    ]
    [(log_key,)] = query(
        environment, "SELECT error_log_key FROM ingested_objects WHERE error_code IS NOT NULL"
    )
    log = json.loads(lake.s3.get_object(Bucket=lake.bucket, Key=log_key)["Body"].read())
    assert (log["code"], log["attempts"]) == ("internal", MAX_RECEIVES)
    assert "in buggy" in log["traceback"]
    [dead_lettered] = lake.sqs.receive_message(QueueUrl=lake.dlq_url)["Messages"]
    assert "bad.json" in dead_lettered["Body"]
    # Where it happened is told; what the document says is not.
    assert "prepare.py" in worked.stderr
    assert "Very private" not in worked.stderr
    assert "lucky" not in worked.stderr
