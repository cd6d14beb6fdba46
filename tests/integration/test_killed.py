"""A consumer that is killed in the middle of a load: what it held is loaded by the next one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.conftest import Lake
from tests.support.consuming import depth, export, put
from tests.support.databases import conninfo
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, query, run, succeed, until

OBJECTS = 12
VISIBILITY_SECONDS = 2


@contextmanager
def consumer(environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a consumer while the block runs, then kill it."""
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"],
        env=environment | {"RECEIVE_WAIT_SECONDS": "1"},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait(DEADLINE_SECONDS)


def kill_in_the_middle(environment: dict[str, str], lake: Lake, held: int) -> None:
    """Let a consumer hold so many messages without getting anything committed, then kill it."""

    def count() -> int:
        answer = lake.sqs.get_queue_attributes(QueueUrl=lake.queue_url, AttributeNames=["All"])
        return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])

    with psycopg.connect(**conninfo(environment)) as connection:
        connection.execute("LOCK TABLE guest_checks IN EXCLUSIVE MODE")
        until(lambda: count() == 0, "nobody holds a message")
        with consumer(environment):
            until(lambda: count() == held, "all messages are held")
        connection.rollback()


def test_what_a_killed_consumer_held_is_loaded_by_the_next_one(
    environment: dict[str, str], lake: Lake
) -> None:
    with_tables(environment)
    attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    lake.sqs.set_queue_attributes(QueueUrl=lake.queue_url, Attributes=attributes)
    check = {"lastUpdatedUTC": "2024-03-01T20:00:00"}
    for number in range(OBJECTS):
        put(lake, f"raw/erp/{number}.json", export(check | {"guestCheckId": number}))
    until(lambda: depth(lake, lake.queue_url) == OBJECTS, "all objects are announced")
    kill_in_the_middle(environment, lake, OBJECTS)
    assert query(environment, "SELECT count(*) FROM ingested_objects") == [(0,)]
    with consumer(environment):
        until(lambda: depth(lake, lake.queue_url) == 0, "the queue is empty")
    loaded = query(
        environment,
        "SELECT state, count(*), min(attempts) > 1 FROM ingested_objects GROUP BY state",
    )
    assert loaded == [("loaded", OBJECTS, True)]
    assert query(environment, "SELECT count(*) FROM guest_checks") == [(OBJECTS,)]
    assert depth(lake, lake.dlq_url) == 0


def test_a_message_whose_consumers_were_all_killed_is_listed_as_redriven(
    environment: dict[str, str], lake: Lake
) -> None:
    """It has no error log and no ledger row: nobody lived to write them."""
    with_tables(environment)
    answer = lake.sqs.get_queue_attributes(QueueUrl=lake.dlq_url, AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": answer["Attributes"]["QueueArn"], "maxReceiveCount": 2}
    attributes = {
        "VisibilityTimeout": str(VISIBILITY_SECONDS),
        "RedrivePolicy": json.dumps(redrive),
    }
    lake.sqs.set_queue_attributes(QueueUrl=lake.queue_url, Attributes=attributes)
    put(lake, "raw/erp/heavy.json", export({"guestCheckId": 1}))
    until(lambda: depth(lake, lake.queue_url) == 1, "the object is announced")
    for _ in range(2):
        kill_in_the_middle(environment, lake, 1)
    with consumer(environment):
        until(lambda: depth(lake, lake.dlq_url) == 1, "the queue moved the message")
    [listed] = json.loads(run("consumer", "dlq", "list", "--json", environment=environment).stdout)
    assert (listed["object_key"], listed["redriven"]) == ("raw/erp/heavy.json", True)
    assert "killed" in listed["error_message"]
    assert listed["attempts"] >= 2
    succeed("consumer", "dlq", "replay", environment=environment)
    with consumer(environment):
        until(lambda: depth(lake, lake.queue_url) == 0, "the queue is empty")
    assert query(environment, "SELECT state FROM ingested_objects") == [("loaded",)]
