"""Something that goes away: good messages wait, keep their receive budget, and load afterwards."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from aiohttp import web

from tests.conftest import Lake
from tests.support.consuming import depth, loaded, put_checks
from tests.support.fronts import front_of, sqs_action
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, query, until
from tests.support.proxies import proxy_to_unix_socket

VISIBILITY_SECONDS = 2
# The messages' receive budget is five.
OUTAGE_SECONDS = 5 * VISIBILITY_SECONDS + 1
OBJECTS = 30


def assert_outage_is_outlived(
    environment: Mapping[str, str],
    lake: Lake,
    changed: Mapping[str, str],
    begin: Callable[[], object],
    end: Callable[[], object],
) -> None:
    """Load objects before, during and after an outage, each with its first receive."""
    with_tables(environment)
    attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    lake.sqs.set_queue_attributes(QueueUrl=lake.queue_url, Attributes=attributes)
    own = {"RECEIVE_WAIT_SECONDS": "1", **changed}
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"],
        env={**environment, **own},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            put_checks(lake, range(3))
            until(lambda: loaded(environment) == 3, "the first objects are loaded")
            begin()
            put_checks(lake, range(3, OBJECTS))
            time.sleep(OUTAGE_SECONDS)  # the outage itself, not a wait for something
            assert process.poll() is None
            end()
            until(lambda: loaded(environment) == OBJECTS, "everything is loaded")
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=DEADLINE_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    # On a busy machine a lease may be lost; an outage would cost every message its receives.
    assert received_again(environment) <= OBJECTS // 10, errors
    assert (depth(lake, lake.queue_url), depth(lake, lake.dlq_url)) == (0, 0)
    assert "breaker_opened" in errors
    assert "breaker_closed" in errors


def test_a_long_outage_of_postgresql_moves_no_good_message_to_the_dlq(
    environment: dict[str, str], lake: Lake
) -> None:
    """The race: connections break in the middle of batches, for five visibility timeouts."""
    with proxy_to_unix_socket(f"{environment['DB_HOST']}/.s.PGSQL.{environment['DB_PORT']}") as way:
        through = {
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(way.port),
            "DB_CONNECT_TIMEOUT_SECONDS": "2",
        }
        assert_outage_is_outlived(environment, lake, through, way.cut, way.mend)


def test_a_long_outage_of_s3_moves_no_good_message_to_the_dlq(
    environment: dict[str, str], lake: Lake
) -> None:
    """SQS goes on delivering: every message could use up its receives on an S3 that is away."""
    down: list[str] = []

    def answer(request: web.Request, _: bytes) -> web.Response | None:
        return web.Response(status=503) if down and not sqs_action(request) else None

    with front_of(environment["AWS_ENDPOINT_URL"], answer) as front:
        assert_outage_is_outlived(
            environment,
            lake,
            {"AWS_ENDPOINT_URL": front.url},
            lambda: down.append("S3"),
            down.clear,
        )


def received_again(environment: Mapping[str, str]) -> int:
    statement = "SELECT count(*) FROM ingested_objects WHERE attempts > 1"
    [(count,)] = query(environment, statement)
    return int(count)
