"""How long `consumer history` takes to tell a day of twenty versions: wall clock, and its own CPU.

    devstack run -- python -m bench.histories [CHECKS]

One check in a hundred is corrected in each version. Tables are empty: it works from the lake.
"""

import os
import resource
import subprocess
import sys
from datetime import date, timedelta
from time import perf_counter

import boto3

from bench.corrections import asked_again
from bench.documents import WRITTEN_AT, Document, simulator
from consumer.load.migrations.migrate import migrate
from consumer.settings import DatabaseSettings
from schemas.keys import api_key
from schemas.registry import Source

_VERSIONS, _RUNS = 20, 5
_STORE, _DAY = "99 CB CB", date(2024, 1, 1)
_COMMAND = (sys.executable, "-m", "consumer", "history", "--store", _STORE, "--day", str(_DAY))


def main(checks: int) -> None:
    """Put the versions, and run the command some times."""
    migrate(DatabaseSettings())
    size = put_versions(os.environ["BUCKET_NAME"], checks)
    print(f"{_VERSIONS} versions of {checks} checks, {size / 1e6:.2f} MB each")
    for _ in range(_RUNS):
        began, before = perf_counter(), _cpu_seconds()
        told = subprocess.run(_COMMAND, check=True, capture_output=True, text=True)
        seconds, cpu_seconds = perf_counter() - began, _cpu_seconds() - before
        assert f"\n{_VERSIONS}\t" in told.stdout
        print(f"{seconds:.2f} s, {cpu_seconds:.2f} s of CPU; load {os.getloadavg()[0]:.1f}")


def put_versions(bucket: str, checks: int) -> int:
    """Put them into the lake; return the size of one."""
    s3 = boto3.client("s3")
    source = Source.GUEST_CHECKS
    answer = simulator(checks).answer(source, _STORE, _DAY)
    document = Document(source, _STORE, _DAY, answer)
    for version in range(_VERSIONS):
        time = WRITTEN_AT + timedelta(hours=version)
        [document] = asked_again([document], time, one_in=100 if version else 0)
        s3.put_object(Bucket=bucket, Key=api_key(source, _DAY, _STORE, time), Body=document.data)
    return len(answer)


def _cpu_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
