"""Hostile documents through the real service: each in its state, read whole, streamed and packed."""

import gzip
import random
from typing import Any

from schemas.codes import ErrorCode
from tests.conftest import Lake
from tests.support.hostile import DOCUMENTS, Ending
from tests.support.migrated import with_tables
from tests.support.programs import query, run

STREAM_ABOVE_BYTES = 1 << 16
# Blanks that do not pack well, so that what they fill up is streamed though it is packed.
PADDING = bytes(random.Random(1).choices(b" \n\t\r", k=80_000))
# One of each ending, and whatever the database has a say in.
NAMES = (
    "good",
    "byte order mark",
    "1e99999",
    "1e99999 among unknown",
    "NUL",
    "no objects",
    "keys twice",
    "empty",
    "cut off behind a record",
    "UTF-16",
    "latin-1",
    "null",
    "problem body",
    "two stores",
)


def forms(document: bytes) -> dict[str, bytes]:
    """Write a document so small that it is read whole, and so large that it is streamed."""
    return {"whole.json": document, "streamed.json.gz": gzip.compress(document + PADDING)}


def state_of(ending: Ending) -> tuple[str, str | None]:
    """Say how the ledger names an ending."""
    if isinstance(ending, ErrorCode):
        return "dead_lettered", ending.value
    return ("dead_lettered", "records_invalid") if ending else ("loaded", None)


def test_hostile_documents_end_in_their_codes_and_nothing_else_suffers(
    environment: dict[str, str], lake: Lake
) -> None:
    expected: dict[str, Any] = {}
    chosen = {name: DOCUMENTS[name] for name in NAMES}
    for name, (document, ending) in chosen.items():
        for form, body in forms(document).items():
            key = f"raw/erp/{name}/{form}"
            lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=body)
            expected[key] = state_of(ending)
    environment = environment | {
        "STREAM_ABOVE_BYTES": str(STREAM_ABOVE_BYTES),
        "FAILURE_BURST_MIN_OBJECTS": "0",  # nearly all of them fail, and shall
    }
    with_tables(environment)
    result = run("consumer", "run", "--until-idle", "1", environment=environment)
    assert result.returncode == 0, result.stderr
    assert '"level": "error"' not in result.stderr
    ended = query(environment, "SELECT object_key, state, error_code FROM ingested_objects")
    # All say the same of the good check: whether one has anything new to say depends on the order.
    found = {
        key: ("loaded", None) if state == "superseded" else (state, code)
        for key, state, code in ended
    }
    assert expected == found
    checks = query(environment, "SELECT store_id, guest_check_id, gst_cnt FROM guest_checks")
    assert [("S", 1, 1), ("S", 2, None)] == sorted(checks)
    [(dead_lettered, logs)] = query(
        environment,
        "SELECT count(*), count(DISTINCT error_log_key) FROM ingested_objects"
        " WHERE state = 'dead_lettered'",
    )
    assert (dead_lettered, logs) == (
        sum(state == "dead_lettered" for state, _ in expected.values()),
    ) * 2
