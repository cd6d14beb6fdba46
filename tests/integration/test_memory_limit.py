"""A consumer whose memory is really limited, as a container's is."""

import json
import subprocess
import sys

import pytest

from tests.conftest import Lake
from tests.support.consuming import depth, put
from tests.support.memory_limits import memory_can_be_limited, memory_limited_to
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, query, until

OBJECTS = 6  # with a byte budget for all of them at once the process is killed
OBJECT_BYTES = 12_500_000  # about the largest that are parsed at once
LIMIT_BYTES = 256 * 2**20
LINES = 4
IDS = 100  # of a document's checks: all of them are read and sent, the newest ones are merged

pytestmark = pytest.mark.skipif(
    not memory_can_be_limited(),
    reason="needs root and control groups; unit/consumer/test_memory.py has the arithmetic",
)


def check(number: int) -> str:
    line = {
        "busDt": "2024-03-01",
        "detailUTC": "2024-03-01T19:00:00",
        "detailLcl": "2024-03-01T16:00:00",
        "dspTtl": 1.25,
        "refInfo1": "a remark of the waiter's, which takes a while to read; " * 4,
        "dspQty": 1,
        "menuItem": {"miNum": 1, "inclTax": 5.251234, "activeTaxes": "28"},
    }
    lines = [{"guestCheckLineItemId": line_id, **line} for line_id in range(LINES)]
    record = {"guestCheckId": number, "lastUpdatedUTC": "2024-03-02T01:00:00"}
    return json.dumps({**record, "opnBusDt": "2024-03-01", "detailLines": lines})


def large_export(number: int) -> bytes:
    written = [check(IDS * number + each) for each in range(IDS)]
    size = sum(map(len, written)) + 2 * IDS
    records = ", ".join(written * (OBJECT_BYTES // size))
    return (
        f'{{"locRef": "001", "curUTC": "2024-03-02T03:00:00", "guestChecks": [{records}]}}'.encode()
    )


def consume_limited(environment: dict[str, str]) -> str:
    """Work in little memory until the queue is empty, and return the log."""
    enter = 'echo $$ > "$0" && exec "$@"'
    program = [sys.executable, "-m", "consumer", "run", "--until-idle", "1"]
    with memory_limited_to(LIMIT_BYTES) as processes:
        result = subprocess.run(
            ["/bin/sh", "-c", enter, str(processes), *program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * DEADLINE_SECONDS,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    return result.stderr


def test_large_documents_load_in_256_mebibytes_at_their_first_receive(
    environment: dict[str, str], lake: Lake
) -> None:
    """The byte budget follows the limit: they take turns, and nothing is killed."""
    with_tables(environment)
    for number in range(1, OBJECTS + 1):
        put(lake, f"raw/erp/{number}.json", large_export(number))
    until(lambda: depth(lake, lake.queue_url) == OBJECTS, "all objects are announced")
    log = consume_limited(environment)
    assert "memory_limit_exceeded" not in log
    ends = "SELECT state, count(*), max(attempts) FROM ingested_objects GROUP BY state"
    assert query(environment, ends) == [("loaded", OBJECTS, 1)]


def test_a_byte_budget_that_the_limit_cannot_hold_is_told_at_the_start(
    environment: dict[str, str], lake: Lake
) -> None:
    with_tables(environment)
    log = consume_limited(environment | {"MAX_IN_FLIGHT_BYTES": str(64 * 2**20)})
    told = [json.loads(line) for line in log.splitlines() if "memory_limit_exceeded" in line]
    [warning] = told
    assert warning["needed_bytes"] == 352 * 2**20
    assert "lower MAX_IN_FLIGHT_BYTES" in warning["remedy"]
