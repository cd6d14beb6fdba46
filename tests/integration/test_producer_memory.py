"""A year's pull takes no more memory than a month's."""

import json
import subprocess
import sys

YEAR = """
import asyncio, json, resource, sys
from datetime import UTC, date, datetime, timedelta

from producer.pulling.answers import Answer, read_answer
from producer.settings import Settings
from producer.lake import LakeEntry
from runtime.logs import configure_logs
from producer.pulling.targets import make_plan
from producer.pulling.pull import PullOptions, pull
from producer.tally import Tally
from schemas.keys import api_key
from schemas.registry import ENDPOINTS_BY_NAME, Source

STORES = tuple(f"{number:03}" for number in range(4))
OTHERS = 10  # stores that lie in the lake and are not pulled
FIRST = date(2024, 1, 1)
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
filling = "x" * 50_000

def peak_bytes():
    # Not ru_maxrss: it counts what the process that forked this one held.
    try:
        status = open("/proc/self/status").read()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024

class Erp:
    async def ask(self, target):
        body = json.dumps({"curUTC": "1", "storeId": target.store_id, "rows": [filling]}).encode()
        answer = Answer(body, "application/json", datetime.now(UTC), 0.1)
        read_answer(answer, target)
        return answer

class Lake:
    async def put(self, obj):
        await asyncio.sleep(0)
        return LakeEntry(obj.key, len(obj.body), None, LONG_AGO)

    async def entries(self, prefix, after=""):
        # Every day has an answer, out of date, of every other store.
        day = date.fromisoformat(after.partition("busDt=")[2][:10])
        source = ENDPOINTS_BY_NAME[prefix.split("/")[2]].source
        while True:
            for n in range(OTHERS):
                key = api_key(source, day, f"other {n:03}", LONG_AGO)
                yield LakeEntry(key, 9, None, LONG_AGO)
            day += timedelta(days=1)

    async def metadata(self, key):
        return None

async def run(days):
    plan = make_plan(FIRST, FIRST + timedelta(days=days - 1), STORES, ())
    tally = Tally(plan.target_count)
    await pull(plan, Erp().ask, Lake(), tally, PullOptions(Settings(bucket_name="lake")))
    assert tally.stored == plan.target_count, tally

configure_logs("ERROR")
asyncio.run(run(30))
month = peak_bytes()
asyncio.run(run(366))
json.dump([month, peak_bytes()], sys.stdout)
"""


def test_a_years_pull_stays_flat_under_two_hundred_megabytes() -> None:
    """A process of its own, since the peak of one never falls."""
    result = subprocess.run(
        [sys.executable, "-c", YEAR], capture_output=True, text=True, check=False, timeout=240
    )
    assert result.returncode == 0, result.stderr
    month_bytes, year_bytes = json.loads(result.stdout)
    assert year_bytes < 200_000_000
    assert year_bytes - month_bytes < 16_000_000
