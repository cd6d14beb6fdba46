"""Whatever breaks while objects are loaded, in the end the tables are right and nothing is left.

CHAOS_OBJECTS and CHAOS_SEED make the runs larger, or others.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from types_boto3_s3 import S3Client
from types_boto3_sqs import SQSClient

from devstack.environment import command_environment
from tests.conftest import Servers
from tests.support.chaos import MAX_RECEIVES, STOP_SECONDS, Fault, Field, Fleet, queues_of, through
from tests.support.chaos_documents import Chain
from tests.support.chaos_faults import database_outages, endpoint_outages, kills, rolling_restarts
from tests.support.chaos_lake import FullLake, Truth, Version, announce, fill_lake, version_of
from tests.support.programs import query, succeed
from tests.support.proxies import proxy_to_port
from tests.support.servers import OwnPostgres, own_postgres
from tests.support.tables import Tables, looking
from tests.support.truth import assert_truth

OBJECTS = int(os.environ.get("CHAOS_OBJECTS", "260"))
SEED = int(os.environ.get("CHAOS_SEED", "2024"))
# Slow enough for faults to strike: few messages at a time, each waiting for neighbours.
SLOW = {"MAX_IN_FLIGHT_MESSAGES": "10", "BATCH_MAX_WAIT_MILLISECONDS": "400"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    with own_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def full_lake(aws: tuple[S3Client, SQSClient], hook: ModuleType) -> FullLake:
    chain = Chain(SEED)
    return fill_lake(*aws, hook, chain.good(OBJECTS) + chain.broken(OBJECTS // 20))


@dataclass(frozen=True)
class Plan:
    """What a run is about."""

    faults: tuple[Fault, ...] = ()
    deliveries: int = 1
    broken: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    # How often the message that came most often did: only a kill must cost a receive, and what
    # costs none may do so on a machine that is so busy that leases are lost.
    fewest_receives: int = 1
    most_receives: int = MAX_RECEIVES


PLANS = {
    "kill -9 every second": Plan((kills,), settings=SLOW, fewest_receives=2),
    "PostgreSQL stops and starts": Plan((database_outages,), settings=SLOW, most_receives=2),
    "S3 and SQS are cut off": Plan((endpoint_outages,), settings=SLOW),
    "rolling restarts": Plan((rolling_restarts,), settings=SLOW),
    "every event comes three times, one document in twenty is broken": Plan(
        deliveries=3, broken=True, most_receives=2
    ),
    "everything at once": Plan(
        (kills, database_outages, endpoint_outages, rolling_restarts),
        deliveries=2,
        broken=True,
        settings=SLOW,
    ),
}


@pytest.fixture
def ground(
    stack: Servers, full_lake: FullLake, postgres: OwnPostgres, hook: ModuleType, tmp_path: Path
) -> Iterator[Field]:
    """Give queues, tables and a fleet that has not set out yet."""
    server = stack.environment["AWS_ENDPOINT_URL"]
    database = postgres.new_database()
    succeed("consumer", "migrate", environment={**os.environ, **database})
    with (
        queues_of(full_lake, hook) as (queue_url, dlq_url),
        proxy_to_port(int(server.rpartition(":")[2])) as endpoint,
    ):
        own = {
            "AWS_ENDPOINT_URL": through(endpoint, server),
            "BUCKET_NAME": full_lake.bucket,
            "QUEUE_URL": through(endpoint, queue_url),
            "DLQ_URL": through(endpoint, dlq_url),
            "DB_CONNECT_TIMEOUT_SECONDS": "2",
            "RECEIVE_WAIT_SECONDS": "1",
            "RETRY_BASE_SECONDS": "0.5",
            "SHUTDOWN_TIMEOUT_SECONDS": str(STOP_SECONDS),
        }
        environment = command_environment(os.environ, {**stack.environment, **database, **own})
        fleet = Fleet(environment, tmp_path)
        try:
            yield Field(
                full_lake, queue_url, dlq_url, (), database, postgres, endpoint, fleet, Random(SEED)
            )
        finally:
            fleet.abandon()


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_the_tables_are_right_and_nothing_is_left(ground: Field, plan: Plan) -> None:
    """Three consumers; every object ends once, and only broken ones are dead-lettered."""
    ground.objects = tuple(
        one for one in ground.lake.objects if plan.broken or one.document.error_code is None
    )
    messages = announce(
        ground.lake.sqs, ground.queue_url, ground.objects, plan.deliveries, ground.random
    )
    began = time.monotonic()
    ground.fleet.set_out(3, plan.settings)
    ground.suffer([fault(ground) for fault in plan.faults])
    ground.finish()
    seconds = time.monotonic() - began
    [(most,)] = query(ground.database, "SELECT max(attempts) FROM ingested_objects")
    print(  # noqa: T201 - shown with -s, and when the test fails
        f"seed {SEED}: {len(ground.objects)} objects in {messages} messages, {seconds:.0f} s, "
        f"{ground.fleet.starts} starts, {dict(ground.strikes)}, {most} receives at most"
    )
    assert plan.fewest_receives <= most <= plan.most_receives
    assert_every_object_has_its_end(ground)
    assert_only_broken_ones_are_dead_lettered(ground)
    assert (0, 0, 0) == ground.depths(ground.queue_url)
    with looking(ground.database) as session:
        puts = [one.document.put for one in ground.objects if one.document.put]
        assert_truth(Tables(session), Truth(puts))


def assert_every_object_has_its_end(ground: Field) -> None:
    """One row for each object version, and each broken one under its own code."""
    rows = query(
        ground.database, "SELECT object_key, version_id, state, error_code FROM ingested_objects"
    )
    assert sorted(one.version for one in ground.objects) == sorted(row[:2] for row in rows)
    ends = {row[:2]: row[2:] for row in rows}
    for one in ground.objects:
        state, code = ends[one.version]
        assert one.document.error_code == code, one.document.key
        assert (state == "dead_lettered") is (code is not None), one.document.key


def assert_only_broken_ones_are_dead_lettered(ground: Field) -> None:
    """Dead letters and ledger name the same objects and codes, and logs that exist."""
    dead_letters = list(read_dead_letters(ground))
    expected = {one.version: one.document.error_code for one in ground.objects}
    broken = {version: code for version, code in expected.items() if code}
    assert broken == {version: code for version, code, _ in dead_letters}
    logged = query(
        ground.database,
        "SELECT object_key, version_id, error_log_key FROM ingested_objects"
        " WHERE state = 'dead_lettered'",
    )
    log_keys = {(row[:2], row[2]) for row in logged} | {(one, key) for one, _, key in dead_letters}
    for version, log_key in log_keys:
        answer = ground.lake.s3.get_object(Bucket=ground.lake.bucket, Key=log_key)
        log = json.loads(answer["Body"].read())
        assert (broken[version], version[0]) == (log["code"], log["object"]["key"])


def read_dead_letters(ground: Field) -> Iterator[tuple[Version, str, str]]:
    """Read what is dead-lettered: object version, code and log."""
    for _ in range(sum(ground.depths(ground.dlq_url))):
        answer = ground.lake.sqs.receive_message(
            QueueUrl=ground.dlq_url, MessageAttributeNames=["All"], WaitTimeSeconds=1
        )
        [message] = answer["Messages"]
        says = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        [record] = json.loads(message["Body"])["Records"]
        yield version_of(record), says["ErrorCode"], says["ErrorLogKey"]
