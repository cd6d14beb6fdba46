"""A consumer to which every document is broken dead-letters a burst, turns unhealthy, and stops there."""

import signal
import subprocess
import sys

from consumer.load.database import open_pool
from consumer.load.ledger import Entry, count_recent_failures, loaded_before, record_entry
from schemas.codes import ErrorCode, State
from schemas.envelopes import ObjectEvent
from schemas.layouts import OWN_LAYOUT
from schemas.registry import Source
from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, page, query, run, succeed, until
from tests.support.samples import NOON, checks, day_list, full_check, json_bytes, staged
from tests.support.warehouse import open_warehouse

LIMIT = 4
OBJECTS = 12
BAD = b'{"renamed": 1}'


def count(lake: Lake, url: str, state: str = "") -> int:
    answer = lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return int(answer["Attributes"][f"ApproximateNumberOfMessages{state}"])


def good(*numbers: int) -> dict[int, bytes]:
    """Write an export of one check for each number."""
    return {number: json_bytes(checks(full_check(number))) for number in numbers}


def put(lake: Lake, documents: dict[int, bytes]) -> None:
    """Write exports under keys of these numbers."""
    for number, body in documents.items():
        lake.s3.put_object(Bucket=lake.bucket, Key=f"raw/erp/{number}.json", Body=body)


def test_somebodys_first_files_are_no_burst_however_many_of_them_are_bad(
    environment: dict[str, str], lake: Lake
) -> None:
    """The good ones behind them load, and nobody has to switch the breaker off for that."""
    with_tables(environment)
    put(lake, dict.fromkeys(range(OBJECTS), BAD) | good(100, 101, 102))
    until(lambda: count(lake, lake.queue_url) == OBJECTS + 3, "everything is announced")
    own = environment | {"FAILURE_BURST_MIN_OBJECTS": str(LIMIT)}
    for _ in range(2):  # a restart finds no burst either
        succeed("consumer", "run", "--until-idle", "1", environment=own)
    assert (count(lake, lake.queue_url), count(lake, lake.dlq_url)) == (0, OBJECTS)
    loaded = "SELECT count(*) FROM ingested_objects WHERE state = 'loaded'"
    assert query(environment, loaded) == [(3,)]


def test_a_burst_of_failures_stops_the_dead_lettering_restarts_included_until_somebody_acts(
    environment: dict[str, str], lake: Lake, unused_tcp_port: int
) -> None:
    """Arroyo's lesson: a bad deploy must stop the consumer, not drain the queue into the DLQ."""
    with_tables(environment)
    put(lake, good(*range(OBJECTS)))
    succeed("consumer", "run", "--until-idle", "1", environment=environment)
    put(lake, dict.fromkeys(range(OBJECTS), BAD))
    until(lambda: count(lake, lake.queue_url) == OBJECTS, "everything is announced")
    own = environment | {
        "HTTP_PORT": str(unused_tcp_port),
        "FAILURE_BURST_MIN_OBJECTS": str(LIMIT),
        "RECEIVE_WAIT_SECONDS": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"], env=own, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            until(lambda: page(unused_tcp_port, "/healthz")[0] == 503, "unhealthy")
            status, reason = page(unused_tcp_port, "/readyz")
            assert (status, "schema_invalid" in reason) == (503, True)
            assert (
                'coco_breaker_open{cause="failure_burst"} 1.0'
                in page(unused_tcp_port, "/metrics")[1]
            )
            left = OBJECTS - LIMIT + 1
            until(lambda: count(lake, lake.queue_url) == left, "the rest is receivable")
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=DEADLINE_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 0
    assert '"cause": "failure_burst"' in said
    assert count(lake, lake.dlq_url) == LIMIT - 1
    again = run("consumer", "run", "--until-idle", "1", environment=own)
    assert again.returncode == 1
    assert "FAILURE_BURST_MIN_OBJECTS=0" in again.stderr.replace("\n", " ")
    assert (count(lake, lake.queue_url), count(lake, lake.dlq_url)) == (left, LIMIT - 1)


def test_its_like_is_an_answer_of_its_endpoint_and_store_or_its_own_key(
    database: dict[str, str],
) -> None:
    """Only of what loaded before a release may be to blame, whatever day or version it is of."""
    answer = "raw/api_responses/{}/busDt=2024-02-0{}/storeId={}/x.json".format
    seen = [answer("getChargeBack", 2, "S"), "raw/erp/1.json"]
    new = [
        answer("getChargeBack", 1, "T"),
        answer("getTransactions", 1, "S"),
        "raw/erp/2.json",
        "raw/other.json",
    ]
    with open_warehouse(database, sessions=1) as warehouse:
        rows = day_list(Source.CHARGE_BACK, {"chargeId": 1}, store="S")
        where = {"key": answer("getChargeBack", 1, "S"), "store": "S"}
        first = staged(rows, Source.CHARGE_BACK, **where)
        warehouse.load(first, staged(checks(full_check(1)), key="raw/erp/1.json"))
        bucket = first.identity.event.bucket
        events = [ObjectEvent(bucket, key, "ObjectCreated:Put", etag="e2") for key in seen + new]

        async def ask() -> tuple[list[str], int]:
            async with open_pool(warehouse.settings, 1) as pool:
                was_loaded = loaded_before(pool, OWN_LAYOUT)
                known = [event.key for event in events if await was_loaded(event)]
                for event in events:
                    refused = State.DEAD_LETTERED, NOON, 1, ErrorCode.SCHEMA_INVALID
                    await record_entry(pool, Entry(event, *refused))
                return known, await count_recent_failures(pool, 20)

        assert (seen, len(seen)) == warehouse.runner.run(ask())
