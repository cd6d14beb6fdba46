"""What is given back is never received too often, so that the queue does not dead-letter it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import psycopg

from tests.conftest import Lake
from tests.support.consuming import depth, export, put
from tests.support.databases import conninfo
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, query, succeed, until

CHECK = {"guestCheckId": 1, "lastUpdatedUTC": "2024-03-01T20:00:00"}
CONSUMERS = 2


def allow_receives(lake: Lake, count: int) -> None:
    """Let the queue dead-letter a message that was received more often than that."""
    answer = lake.sqs.get_queue_attributes(QueueUrl=lake.dlq_url, AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": answer["Attributes"]["QueueArn"], "maxReceiveCount": count}
    attributes = {"VisibilityTimeout": "600", "RedrivePolicy": json.dumps(redrive)}
    lake.sqs.set_queue_attributes(QueueUrl=lake.queue_url, Attributes=attributes)  # type: ignore[arg-type]  # the stub wants literal keys


@contextmanager
def consumer(environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run a consumer whose long polls and stop take two seconds, once it has started."""
    own = {"RECEIVE_WAIT_SECONDS": "2", "SHUTDOWN_TIMEOUT_SECONDS": "2", "LOG_FORMAT": "json"}
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"],
        env=dict(environment) | own,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            read_until("consumer_started", process)
            yield process
        finally:
            process.kill()


def read_until(event: str, process: "subprocess.Popen[str]") -> None:
    """Read a consumer's log until it tells an event."""
    assert process.stderr is not None
    assert any(event in line for line in process.stderr), f"it ended without {event}"


def test_what_comes_while_all_consumers_stop_is_loaded_by_the_first_that_receives_it(
    environment: dict[str, str], lake: Lake
) -> None:
    """The race: its event arrives while each of them waits for the answers of two last polls."""
    with_tables(environment)
    allow_receives(lake, 2 * CONSUMERS - 1)
    with ExitStack() as opened:
        fleet = [opened.enter_context(consumer(environment)) for _ in range(CONSUMERS)]
        put(lake, "raw/erp/before.json", export(CHECK))
        until(lambda: len(attempts(environment)) == 1, "all of them work")
        for process in fleet:
            process.send_signal(signal.SIGTERM)
        for process in fleet:
            read_until("stop_requested", process)
        put(lake, "raw/erp/after.json", export(CHECK))
        for process in fleet:
            assert process.wait(DEADLINE_SECONDS) == 0
    assert attempts(environment) == [("raw/erp/after.json", 1), ("raw/erp/before.json", 1)]
    assert depth(lake, lake.dlq_url) == 0


def test_what_a_stop_gives_back_at_its_last_receive_is_loaded_by_the_next_consumer(
    environment: dict[str, str], lake: Lake
) -> None:
    with_tables(environment)
    allow_receives(lake, 1)
    put(lake, "raw/erp/1.json", export(CHECK))
    with psycopg.connect(**conninfo(environment)) as connection:
        connection.execute("LOCK TABLE guest_checks IN EXCLUSIVE MODE")
        with consumer(environment) as process:
            until(lambda: in_flight(lake) == 1, "it is being worked on")
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE_SECONDS) == 0
        connection.rollback()
    succeed("consumer", "run", "--until-idle", "1", environment=environment)
    assert attempts(environment) == [("raw/erp/1.json", 1)]
    assert depth(lake, lake.dlq_url) == 0


def attempts(environment: dict[str, str]) -> list[tuple[str, int]]:
    """Return key and receives of what was loaded."""
    statement = "SELECT object_key, attempts FROM ingested_objects WHERE state <> 'dead_lettered'"
    return sorted(query(environment, statement))


def in_flight(lake: Lake) -> int:
    """Count what consumers hold."""
    name = "ApproximateNumberOfMessagesNotVisible"
    answer = lake.sqs.get_queue_attributes(QueueUrl=lake.queue_url, AttributeNames=["All"])
    return int(answer["Attributes"][name])
