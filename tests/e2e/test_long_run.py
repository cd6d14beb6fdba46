"""A consumer that works for long does not grow. LONG_RUN_OBJECTS makes it longer.

The objects are written as they are asked for by a front of S3, because LocalStack takes a minute
for 10,000; the queue is LocalStack's.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
from aiohttp import web

from schemas.envelopes import ObjectEvent, created_body
from tests.conftest import Lake
from tests.support.fronts import front_of
from tests.support.programs import query, succeed

OBJECTS = int(os.environ.get("LONG_RUN_OBJECTS", "2000"))
DEADLINE_SECONDS = 60 + OBJECTS / 20
MAX_GROWTH_BYTES = 3 * 2**20
PREFIX = "raw/erp/number "


@dataclass(frozen=True)
class Sample:
    """What the consumer had in use once so many objects had their end."""

    ended: int
    memory_bytes: int
    connections: int
    files: int


def document(number: int) -> bytes:
    """Write a small document."""
    check = {
        "guestCheckId": number,
        "opnBusDt": "2024-01-01",
        "lastUpdatedUTC": "2024-01-01T00:00:00",
        "subTtl": number / 100,
        "taxes": [{"taxNum": 1, "taxCollTtl": 0.5}],
        "detailLines": [
            {"guestCheckLineItemId": number * 10 + line, "menuItem": {"miNum": number % 500}}
            for line in range(3)
        ],
    }
    return json.dumps({"locRef": f"store {number % 20}", "guestChecks": [check]}).encode()


def etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def answer(request: web.Request, _: bytes) -> web.Response | None:
    """Serve the documents of the run."""
    _, found, name = request.path.partition(PREFIX)
    if request.method != "GET" or not found:
        return None
    body = document(int(name.removesuffix(".json")))
    headers = {"ETag": f'"{etag(body)}"', "Last-Modified": "Mon, 01 Jan 2024 06:00:00 GMT"}
    return web.Response(body=body, headers=headers)


def announce(lake: Lake) -> None:
    def send(start: int) -> None:
        entries = []
        for number in range(start, min(start + 10, OBJECTS)):
            body = document(number)
            event = ObjectEvent(
                lake.bucket,
                f"{PREFIX}{number}.json",
                "ObjectCreated:Put",
                etag=etag(body),
                size_bytes=len(body),
            )
            entries.append({"Id": str(number), "MessageBody": created_body(event)})
        assert not lake.sqs.send_message_batch(QueueUrl=lake.queue_url, Entries=entries).get(
            "Failed"
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(0, OBJECTS, 10)))


def samples(process: psutil.Process, environment: Mapping[str, str]) -> Iterator[Sample]:
    """Look at a process until all objects have their end."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    for _ in count():
        [(ended,)] = query(environment, "SELECT count(*) FROM ingested_objects")
        with process.oneshot():
            yield Sample(
                ended,
                process.memory_info().rss,
                len(process.net_connections()),
                process.num_fds(),
            )
        if ended == OBJECTS:
            return
        assert time.monotonic() < deadline, f"only {ended} of {OBJECTS} ended"
        time.sleep(0.1)


def test_thousands_of_objects_leave_memory_connections_and_logs_as_they_were(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """Warnings of Python itself, such as of a connection left open, count too."""
    succeed("consumer", "migrate", environment=environment)
    announce(lake)
    log_file = tmp_path / "consumer.log"
    with (
        front_of(environment["AWS_ENDPOINT_URL"], answer) as front,
        log_file.open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "consumer", "run"],
            env=environment
            | {
                "AWS_ENDPOINT_URL": front.url,
                "PYTHONWARNINGS": "always::ResourceWarning,always::RuntimeWarning",
                "RECEIVE_WAIT_SECONDS": "1",
            },
            stderr=log,
        ) as process,
    ):
        began = time.monotonic()
        try:
            seen = list(samples(psutil.Process(process.pid), environment))
            seconds = time.monotonic() - began
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
    half = [one for one in seen if one.ended >= OBJECTS / 2]
    first, last = half[0], half[-1]
    print(  # noqa: T201 - shown with -s, and when the test fails
        f"{OBJECTS} objects in {seconds:.0f} s; memory {seen[0].memory_bytes >> 20} MiB at first, "
        f"{first.memory_bytes / 2**20:.1f} at half, {last.memory_bytes / 2**20:.1f} at last; "
        f"connections {max(one.connections for one in seen)} at most, {last.connections} at last"
        f"; files {first.files} at half, {last.files} at last"
    )
    assert last.memory_bytes - first.memory_bytes < MAX_GROWTH_BYTES
    # Connections are opened as they are needed; a leak would open one for each object.
    assert last.connections - first.connections < OBJECTS // 50
    assert last.files - first.files < OBJECTS // 50
    lines = [json.loads(line) for line in log_file.read_text().splitlines()]
    assert {"info"} == {line["level"] for line in lines}
