"""A disk that takes no large document: it is held, small ones load, and nothing is dead-lettered."""

import json
import resource
import subprocess
import sys
from pathlib import Path

from tests.conftest import Lake
from tests.support.consuming import depth
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, page, query, until

MEBIBYTE = 2**20
# Documents above are streamed through a temporary file; files of half that size can be written.
STREAM_ABOVE_BYTES = 3 * MEBIBYTE


def document(number: int, size_bytes: int = 0) -> bytes:
    check = {"guestCheckId": number, "lastUpdatedUTC": "2024-03-01T20:00:00"}
    root = {"locRef": "001", "guestChecks": [check], "filler": "x" * size_bytes}
    return json.dumps(root).encode()


def test_a_full_disk_holds_large_documents_only_and_is_said(
    environment: dict[str, str], lake: Lake, tmp_path: Path, unused_tcp_port: int
) -> None:
    """The disk is full as far as the process can see: it may write no larger files."""
    with_tables(environment)
    own = {
        "RECEIVE_WAIT_SECONDS": "1",
        "STREAM_ABOVE_BYTES": str(STREAM_ABOVE_BYTES),
        "HTTP_PORT": str(unused_tcp_port),
    }
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "consumer", "run"], env=environment | own, stderr=output
        ) as process,
    ):

        def allow(size_bytes: int) -> None:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size_bytes, hard_limit))

        def states() -> set[tuple[str, ...]]:
            return set(query(environment, "SELECT object_key, state FROM ingested_objects"))

        try:
            hard_limit = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
            until(lambda: page(unused_tcp_port, "/readyz")[0] == 200, "the consumer is ready")
            allow(MEBIBYTE // 2)
            large = document(1, 2 * STREAM_ABOVE_BYTES)
            lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/large.json", Body=large)
            until(lambda: b"local_disk" in log.read_bytes(), "the fault is told")
            status, reason = page(unused_tcp_port, "/readyz")
            assert (status, "TMPDIR" in reason) == (503, True)
            # Room for a little: the probe succeeds, and what needs no more goes on.
            allow(2 * MEBIBYTE)
            lake.s3.put_object(Bucket=lake.bucket, Key="raw/erp/small.json", Body=document(2))
            until(lambda: states() == {("raw/erp/small.json", "loaded")}, "the small one loads")
            # Its message is deleted a moment after its rows are committed.
            until(lambda: depth(lake, lake.queue_url) == 1, "only the large one waits")
            assert depth(lake, lake.dlq_url) == 0
            allow(hard_limit)
            until(lambda: len(states()) == 2, "the large one loads")
        finally:
            process.kill()
            process.wait(DEADLINE_SECONDS)
    attempts = query(environment, "SELECT state, max(attempts) FROM ingested_objects GROUP BY 1")
    assert attempts == [("loaded", 1)]
