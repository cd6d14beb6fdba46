"""A database that goes away: good messages wait, keep their receive budget, and load afterwards."""

import json
import signal
import subprocess
import sys
import time

from tests.conftest import Lake
from tests.programs import DEADLINE_SECONDS, query, succeed, until
from tests.proxies import proxy_to_unix_socket

VISIBILITY_SECONDS = 2
OBJECTS = 30


def depth(lake: Lake, url: str) -> int:
    answer = lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(value) for name, value in answer.items() if name.startswith("ApproximateNumber"))


def test_a_long_outage_of_postgresql_moves_no_good_message_to_the_dlq(
    environment: dict[str, str], lake: Lake
) -> None:
    """The race: connections break in the middle of batches, for five visibility timeouts."""
    succeed("consumer", "migrate", environment=environment)
    lake.sqs.set_queue_attributes(
        QueueUrl=lake.queue_url, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )
    with proxy_to_unix_socket(f"{environment['DB_HOST']}/.s.PGSQL.{environment['DB_PORT']}") as way:
        through = environment | {
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(way.port),
            "DB_CONNECT_TIMEOUT_SECONDS": "2",
            "RECEIVE_WAIT_SECONDS": "1",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "consumer", "run"],
            env=through,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                put_checks(lake, range(3))
                until(lambda: loaded(environment) == 3, "the first objects are loaded")
                way.cut()
                put_checks(lake, range(3, OBJECTS))
                time.sleep(
                    5 * VISIBILITY_SECONDS + 1
                )  # the outage itself, not a wait for something
                assert process.poll() is None
                way.mend()
                until(lambda: loaded(environment) == OBJECTS, "everything is loaded")
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=DEADLINE_SECONDS)
            finally:
                process.kill()
    assert process.returncode == 0, errors
    assert "breaker_open" in errors
    assert "breaker_closed" in errors
    assert (depth(lake, lake.queue_url), depth(lake, lake.dlq_url)) == (0, 0)
    attempts = query(environment, "SELECT max(attempts) FROM ingested_objects")
    assert attempts == [(1,)], errors


def put_checks(lake: Lake, numbers: range) -> None:
    for number in numbers:
        check = {"guestCheckId": number, "lastUpdatedUTC": "2024-01-01T00:00:00"}
        body = json.dumps({"locRef": "1", "guestChecks": [check]})
        lake.s3.put_object(Bucket=lake.bucket, Key=f"raw/erp/{number}.json", Body=body)


def loaded(environment: dict[str, str]) -> int:
    [(count,)] = query(environment, "SELECT count(*) FROM ingested_objects")
    return int(count)
