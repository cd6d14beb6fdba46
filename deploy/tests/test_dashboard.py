"""The dashboard's file is what its generator writes; each of its queries returns data (ring 3)."""

import json
import math
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from deploy.grafana.panels import LAKEHOUSE, LOADING, NOW, PRODUCER, TROUBLE
from deploy.tests.environment import ROOT, tool
from deploy.tests.prometheus import program
from devstack.environment import command_environment
from devstack.server import free_port
from devstack.stack import running_stack
from tests.support.consuming import export
from tests.support.databases import own_database
from tests.support.migrated import with_tables
from tests.support.programs import page, succeed, until

FILE = ROOT / "deploy" / "grafana" / "coco-ingest.json"
DAEMONS = {
    "consumer": ("run",),
    "producer": ("run", "--every", "1s", "--lookback", "0", "--store", "001"),
    "lakehouse": ("run", "--every", "1s"),
}
QUERIES = {
    f"{graph.title}: {legend}": query.replace("$__rate_interval", "15s")
    for graph in (*NOW, *LOADING, *TROUBLE, *PRODUCER, *LAKEHOUSE)
    for legend, query in graph.queries.items()
}


def test_the_file_is_what_the_generator_writes() -> None:
    command = [tool("python"), "-m", "deploy.grafana.dashboard", "--print"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == FILE.read_text(encoding="utf-8")


@contextmanager
def running_prometheus(debian: Path, folder: Path, ports: Mapping[str, int]) -> Iterator[int]:
    """Run Prometheus, which scrapes these ports each second; give its own."""
    prometheus = program("prometheus", debian)
    scraped = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for job, port in ports.items()
    ]
    settings = {"global": {"scrape_interval": "1s"}, "scrape_configs": scraped}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    port = free_port()
    command = [
        prometheus,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (
        (folder / "prometheus.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as server,
    ):
        try:
            until(lambda: page(port, "/-/ready")[0] == 200, "Prometheus is ready")
            yield port
        finally:
            server.terminate()


def has_data(port: int, query: str) -> bool:
    """Say whether a query gives a number."""
    address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return any(not math.isnan(float(one["value"][1])) for one in found)


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the environment of running servers, with tables and a change feed."""
    with running_stack() as stack, own_database(stack.environment) as database:
        own = command_environment(os.environ, {**stack.environment, **database})
        with_tables(own)
        succeed("lakehouse", "init", environment=own)
        yield own


@pytest.mark.timeout(600)
def test_every_query_returns_data_while_documents_are_loaded(
    debian: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Good and bad ones; consumer, producer and lakehouse are scraped."""
    session = boto3.Session("test", "test", region_name=environment["AWS_REGION"])
    s3 = session.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"])
    ports = {name: free_port() for name in DAEMONS}
    with ExitStack() as opened:
        prometheus = opened.enter_context(running_prometheus(debian, tmp_path, ports))
        for name, arguments in DAEMONS.items():
            own = environment | {"HTTP_PORT": str(ports[name])}
            command = [sys.executable, "-m", name, *arguments]
            daemon = opened.enter_context(subprocess.Popen(command, env=own))
            opened.callback(daemon.terminate)
        waiting, number = dict(QUERIES), 0

        def all_have_data() -> bool:
            nonlocal number
            number += 1
            check = {"guestCheckId": number, "lastUpdatedUTC": "2024-01-01T00:00:00"}
            body = export(check) if number % 5 else b"{"
            s3.put_object(
                Bucket=environment["BUCKET_NAME"], Key=f"raw/erp/{number}.json", Body=body
            )
            for title, query in list(waiting.items()):
                if has_data(prometheus, query):
                    del waiting[title]
            return not waiting

        try:
            until(all_have_data, "every query has data")
        except AssertionError as error:
            raise AssertionError(f"no data: {waiting}") from error
