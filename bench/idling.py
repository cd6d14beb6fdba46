"""Latency of a consumer that has nothing else to do: from PUT to commit, through LocalStack.

What S3 and SQS take is in it, here LocalStack's; the clock starts before the PUT, and stops when
another session sees the object in the ledger.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, sleep
from urllib.error import URLError
from urllib.request import urlopen

import boto3
import psycopg

from bench import messages
from bench.databases import Server
from consumer.settings import DatabaseSettings
from schemas.registry import Source

_OBJECTS = 150
_CHECKS_PER_DAY = 3  # an answer of about 1 kB
_PAUSE_SECONDS, _POLL_SECONDS = 0.1, 0.002
_DEADLINE_SECONDS = 30.0
_PORT = 18391  # of the consumer's health page
_IS_LOADED = "SELECT FROM ingested_objects WHERE object_key = %s AND state = 'loaded'"


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from PUT to commit, object by object."""

    runs: tuple[float, ...]

    @property
    def p50(self) -> float:
        """Half of the objects took no longer."""
        return median(self.runs)

    @property
    def p99(self) -> float:
        """One in a hundred took longer."""
        return quantiles(self.runs, n=100, method="inclusive")[-1]


def measure(server: Server, count: int = _OBJECTS) -> Latency:
    """Put small objects one after the other into the lake of BUCKET_NAME, beside a consumer."""
    objects = messages.documents(Source("getFiscalInvoice"), _CHECKS_PER_DAY, count + 1)
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    with (
        server.fresh("bench_idle") as database,
        _consumer(database),
        psycopg.connect(**database.conninfo, autocommit=True) as look,
    ):
        runs = []
        for key, body in objects.items():
            sleep(_PAUSE_SECONDS)
            began = perf_counter()
            s3.put_object(Bucket=os.environ["BUCKET_NAME"], Key=key, Body=body)
            while not look.execute(_IS_LOADED, [key]).rowcount:
                assert perf_counter() < began + _DEADLINE_SECONDS, key
                sleep(_POLL_SECONDS)
            runs.append(perf_counter() - began)
    return Latency(tuple(runs[1:]))  # the first one opens connections


@contextmanager
def _consumer(database: DatabaseSettings) -> Iterator[None]:
    """Run a consumer with default settings while the block runs."""
    quiet = {"LOG_LEVEL": "ERROR", "HTTP_PORT": str(_PORT), "DB_NAME": database.db_name}
    with subprocess.Popen(
        [sys.executable, "-m", "consumer", "run"], env=os.environ | quiet, stdout=subprocess.DEVNULL
    ) as process:
        try:
            began = perf_counter()
            while not _is_ready():
                assert perf_counter() < began + _DEADLINE_SECONDS, "the consumer is not ready"
                sleep(_PAUSE_SECONDS)
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def _is_ready() -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{_PORT}/readyz", timeout=1):
            return True
    except (URLError, OSError):
        return False
