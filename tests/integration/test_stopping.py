"""SIGTERM while hundreds of messages are in hand."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import query, until
from tests.support.proxies import proxy_to_port, proxy_to_unix_socket
from tests.support.warehouse import database_settings

OBJECTS = 130
IN_FLIGHT = 100
STOP_TIMEOUT_SECONDS = 3  # ECS gives five more than our default of 25
SPARE_SECONDS = 5


@pytest.fixture
def loaded_queue(environment: dict[str, str], lake: Lake) -> set[str]:
    """Announce more objects than are held at once; give their keys.

    The visibility timeout is far longer than the test: what is receivable was given back.
    """
    with_tables(environment)
    attributes = {"VisibilityTimeout": "600"}
    lake.sqs.set_queue_attributes(QueueUrl=lake.queue_url, Attributes=attributes)

    def put(number: int) -> str:
        check = {"guestCheckId": number, "lastUpdatedUTC": "2024-01-01T00:00:00"}
        body = json.dumps({"locRef": "1", "guestChecks": [check]})
        key = f"raw/erp/{number}.json"
        lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=body)
        return key

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(put, range(OBJECTS)))
    until(lambda: counts(lake) == (OBJECTS, 0), "all is announced")
    return keys


def counts(lake: Lake) -> tuple[int, int]:
    """Count what is visible and what is in flight."""
    answer = lake.sqs.get_queue_attributes(QueueUrl=lake.queue_url, AttributeNames=["All"])
    found = answer["Attributes"]
    return (
        int(found["ApproximateNumberOfMessages"]),
        int(found["ApproximateNumberOfMessagesNotVisible"]),
    )


@contextmanager
def consumer_in_full_work(
    environment: dict[str, str], lake: Lake, timeout_seconds: int = STOP_TIMEOUT_SECONDS
) -> Iterator["subprocess.Popen[str]"]:
    """Run a consumer that holds as much as it may, while the block runs."""
    own = {
        "RECEIVE_WAIT_SECONDS": "1",
        "MAX_IN_FLIGHT_MESSAGES": str(IN_FLIGHT),
        "BATCH_MAX_WAIT_MILLISECONDS": "1000",
        "SHUTDOWN_TIMEOUT_SECONDS": str(timeout_seconds),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"],
        env=environment | own,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until(lambda: counts(lake)[1] == IN_FLIGHT, "all that may be held is held")
            yield process
        finally:
            process.kill()


@contextmanager
def stuck_database(environment: dict[str, str]) -> Iterator[None]:
    """Let no batch be committed while the block runs."""
    settings = database_settings({k: v for k, v in environment.items() if k.startswith("DB_")})
    with psycopg.connect(**settings.conninfo) as connection:
        connection.execute("LOCK TABLE guest_checks IN EXCLUSIVE MODE")
        yield
        connection.rollback()


@pytest.mark.parametrize("stuck", [False, True], ids=["busy", "stuck"])
def test_sigterm_under_full_load_ends_in_time_and_gives_back_at_once_what_is_not_finished(
    environment: dict[str, str], lake: Lake, loaded_queue: set[str], *, stuck: bool
) -> None:
    """The race: messages are being fetched, wait for neighbours, are loaded and deleted."""
    with ExitStack() as opened:
        if stuck:
            opened.enter_context(stuck_database(environment))
        process = opened.enter_context(consumer_in_full_work(environment, lake))
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        seconds = time.monotonic() - began
        assert process.returncode == 0, errors
        assert seconds < STOP_TIMEOUT_SECONDS + SPARE_SECONDS
        assert counts(lake)[1] == 0
        back = keys_received_at_once(lake)
    rows = query(environment, "SELECT object_key FROM ingested_objects WHERE state = 'loaded'")
    finished = {key for (key,) in rows}
    assert not (stuck and finished)
    assert loaded_queue == back | finished
    assert set() == back & finished


def test_sigterm_while_everything_is_down_ends_in_time_too(
    environment: dict[str, str], lake: Lake, loaded_queue: set[str]
) -> None:
    """What could not be given back comes again when its visibility timeout ends."""
    aws, socket = environment["AWS_ENDPOINT_URL"], f".s.PGSQL.{environment['DB_PORT']}"
    with (
        proxy_to_port(int(aws.rpartition(":")[2])) as endpoint,
        proxy_to_unix_socket(f"{environment['DB_HOST']}/{socket}") as postgres,
        consumer_in_full_work(
            environment
            | {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{endpoint.port}",
                "DB_HOST": "127.0.0.1",
                "DB_PORT": str(postgres.port),
            },
            lake,
        ) as process,
    ):
        endpoint.cut()
        postgres.cut()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        seconds = time.monotonic() - began
    assert process.returncode == 0, errors
    assert seconds < STOP_TIMEOUT_SECONDS + SPARE_SECONDS
    rows = query(environment, "SELECT count(*) FROM ingested_objects WHERE state = 'loaded'")
    assert len(loaded_queue) <= rows[0][0] + sum(counts(lake))


def test_a_second_signal_stops_hard_and_loses_nothing_either(
    environment: dict[str, str], lake: Lake, loaded_queue: set[str]
) -> None:
    """What is held comes back when its visibility timeout ends; nobody waits for it."""
    with (
        stuck_database(environment),
        consumer_in_full_work(environment, lake, timeout_seconds=600) as process,
    ):
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert process.returncode != 0, errors
    assert sum(counts(lake)) == len(loaded_queue)


def keys_received_at_once(lake: Lake) -> set[str]:
    """Receive until nothing is visible, without waiting for anything."""
    keys: set[str] = set()
    while True:
        answer = lake.sqs.receive_message(
            QueueUrl=lake.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        if not answer.get("Messages"):
            return keys
        for message in answer["Messages"]:
            [record] = json.loads(message["Body"])["Records"]
            keys.add(record["s3"]["object"]["key"])
