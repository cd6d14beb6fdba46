"""An export that is larger than the consumer's memory may grow, through the real daemon."""

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import Lake
from tests.support.migrated import with_tables
from tests.support.programs import DEADLINE_SECONDS, query

CHECKS = 6000
LINES = 12
MEBIBYTE = 1 << 20
# What the daemon takes for a small document is measured, not guessed; above it, the runs in hand.
ALLOWED_MEBIBYTES = 60


def check(number: int) -> str:
    lines = [
        {
            "guestCheckLineItemId": 9_000_000_000 + number * 100 + line,
            "busDt": "2024-03-01",
            "detailUTC": "2024-03-01T19:00:00",
            "detailLcl": "2024-03-01T16:00:00",
            "dspTtl": number + line / 100,
            "dspQty": 1,
            "refInfo1": 'a "quoted" [text] {with} brackets\\',
            "menuItem": {"miNum": line, "inclTax": 5.251234, "activeTaxes": "28"},
        }
        for line in range(LINES)
    ]
    return json.dumps(
        {
            "guestCheckId": 5_000_000_000 + number,
            "lastUpdatedUTC": "2024-03-01T20:00:00",
            "opnBusDt": "2024-03-01",
            "subTtl": number + 0.25,
            "taxes": [{"taxNum": 28, "taxCollTtl": 1.5, "taxRate": 21}],
            "detailLines": lines,
        }
    )


def pieces(count: int) -> Iterator[bytes]:
    """Write the document; what belongs to its frame stands behind the records."""
    yield b'{"guestChecks": ['
    for number in range(count):
        yield (", \n" if number else "").encode() + check(number).encode()
    yield b'], "curUTC": "2024-03-02T03:00:00", "locRef": "001"}'


def written(path: Path, count: int) -> Path:
    document = b"".join(pieces(count))
    path.write_bytes(gzip.compress(document, 6) if path.suffix == ".gz" else document)
    return path


def peak_bytes(environment: dict[str, str]) -> int:
    """Work the queue until it is empty and return the daemon's largest resident memory."""
    peak = 0
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run", "--until-idle", "1"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 2 * DEADLINE_SECONDS
            status = Path(f"/proc/{process.pid}/status")
            while process.poll() is None:
                assert time.monotonic() < deadline, "the consumer did not end in time"
                peak = max(peak, high_water_mark(status, process.pid))
                time.sleep(0.05)
        finally:
            process.kill()
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert '"level": "error"' not in errors
    return peak


def high_water_mark(status: Path, pid: int) -> int:
    """Ask the kernel, which forgets no peak between two looks; elsewhere, look often."""
    try:
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0


@pytest.mark.parametrize("name", ["export.json", "export.json.gz"])
def test_a_huge_export_is_loaded_whole_in_little_memory(
    environment: dict[str, str], lake: Lake, tmp_path: Path, name: str
) -> None:
    environment = environment | {"STREAM_ABOVE_BYTES": str(MEBIBYTE)}
    with_tables(environment)
    small = written(tmp_path / f"small-{name}", 20)
    lake.s3.upload_file(str(small), lake.bucket, f"raw/erp/small-{name}")
    usual = peak_bytes(environment)

    huge = written(tmp_path / name, CHECKS)
    assert len(b"".join(pieces(CHECKS))) > 15 * MEBIBYTE
    lake.s3.upload_file(str(huge), lake.bucket, f"raw/erp/{name}")
    peak = peak_bytes(environment)

    assert query(
        environment,
        "SELECT state, error_code, records, quarantined, attempts FROM ingested_objects"
        f" WHERE object_key = 'raw/erp/{name}'",
    ) == [("loaded", None, CHECKS, 0, 1)]
    assert query(
        environment,
        "SELECT count(*), count(DISTINCT guest_check_id), sum(sub_ttl)::text, min(store_id)"
        " FROM guest_checks",
    ) == [(CHECKS, CHECKS, f"{CHECKS * (CHECKS - 1) / 2 + CHECKS / 4:.2f}", "001")]
    assert query(
        environment,
        "SELECT count(*), count(DISTINCT guest_check_line_item_id), max(ref_info1),"
        " min(incl_tax)::text FROM detail_lines",
    ) == [(CHECKS * LINES, CHECKS * LINES, 'a "quoted" [text] {with} brackets\\', "5.251234")]
    assert query(environment, "SELECT count(*), sum(tax_coll_ttl)::text FROM taxes") == [
        (CHECKS, f"{1.5 * CHECKS:.1f}")
    ]
    assert query(environment, "SELECT count(*) FROM menu_items") == [(LINES,)]
    assert peak - usual < ALLOWED_MEBIBYTES * MEBIBYTE, f"{usual} -> {peak}"
