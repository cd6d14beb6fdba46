"""A pull that is killed, and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from schemas.keys import API_PREFIX, ApiKey, parse_key
from schemas.registry import ENDPOINTS
from tests.conftest import Lake

DEADLINE_SECONDS = 60.0
WORKERS = 4
DAYS, STORES = 15, 2
COMMAND = [
    sys.executable, "-m", "producer", "pull", "--from", "2024-01-01", "--to", "2024-01-15",
    "--store", "001", "--store", "São João", "--json",
]  # fmt: skip


def objects(lake: Lake) -> dict[str, object]:
    """Return the answers in the lake with the time of their writing."""
    pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=API_PREFIX)
    entries = [entry for page in pages for entry in page.get("Contents", ())]
    return {entry["Key"]: entry["LastModified"] for entry in entries if entry["Size"]}


def test_killed_in_the_middle_and_started_again_it_ends_as_if_nothing_had_happened(
    environment: dict[str, str], lake: Lake, tmp_path: Path
) -> None:
    """Twice; the third run asks for what is missing, and writes nothing twice."""
    quiet = environment | {"PULL_CONCURRENCY": str(WORKERS), "PULL_REQUESTS_PER_SECOND": "40"}
    total = DAYS * STORES * len(ENDPOINTS)
    for share in (total // 4, total // 2):
        with subprocess.Popen(
            COMMAND, env=quiet, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            deadline = time.monotonic() + DEADLINE_SECONDS
            while len(objects(lake)) < share and time.monotonic() < deadline:
                time.sleep(0.02)
            os.kill(process.pid, signal.SIGKILL)
    before = objects(lake)
    assert total // 2 <= len(before) < total

    finished = subprocess.run(
        COMMAND, env=quiet, cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=DEADLINE_SECONDS,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    counted = json.loads(finished.stdout)
    after = objects(lake)
    # A write that was under way when its process was killed may land later.
    assert counted["present"] + counted["stored"] + counted["unchanged"] == total
    assert counted["present"] >= len(before)
    assert before == {key: after[key] for key in before}
    targets = Counter(parse_key(key) for key in after)
    assert all(isinstance(target, ApiKey) for target in targets)
    assert len(targets) == total
    assert len(after) - total <= 2 * WORKERS
