"""A route that is dropped under a running consumer: packets vanish, and nobody hangs up."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Lake
from tests.support.consuming import depth, loaded, put_checks
from tests.support.databases import conninfo
from tests.support.migrated import with_tables
from tests.support.networks import FarNetwork, far_network, networks_can_be_made
from tests.support.programs import DEADLINE_SECONDS, page, query, until
from tests.support.proxies import proxy_to_port, proxy_to_unix_socket

NOTICED_SECONDS = 60
RESUMED_SECONDS = 60
SIGNS = {
    "database": ["breaker_opened", "database_unavailable", "session_silent"],
    "aws": ["breaker_opened", "storage_unavailable"],
}

pytestmark = pytest.mark.skipif(
    not networks_can_be_made(),
    reason="needs root and `ip netns`; test_silent_database.py shows it with a silent relay",
)


@pytest.fixture
def network() -> Iterator[FarNetwork]:
    with far_network() as made:
        yield made


@contextmanager
def consumer_over(
    network: FarNetwork, behind: str, environment: dict[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a consumer that reaches the database, or AWS, at the far side only."""
    own = {"RECEIVE_WAIT_SECONDS": "1"}
    listener = network.listen()
    port = listener.getsockname()[1]
    with ExitStack() as opened:
        if behind == "database":
            path = f"{environment['DB_HOST']}/.s.PGSQL.{environment['DB_PORT']}"
            opened.enter_context(proxy_to_unix_socket(path, listener))
            own |= {"DB_HOST": network.address, "DB_PORT": str(port)}
        else:
            server = int(environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
            opened.enter_context(proxy_to_port(server, listener))
            own |= {"AWS_ENDPOINT_URL": f"http://{network.address}:{port}"}
        process = subprocess.Popen(
            [sys.executable, "-m", "consumer", "run"],
            env=environment | own,
            stderr=opened.enter_context(log.open("wb")),
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


@contextmanager
def batch_in_the_middle(environment: dict[str, str]) -> Iterator[None]:
    """Let whatever is loaded during the block be answered after it."""
    with psycopg.connect(**conninfo(environment)) as connection:
        connection.execute("LOCK TABLE guest_checks IN EXCLUSIVE MODE")
        yield
        connection.rollback()


def is_waiting(environment: dict[str, str]) -> bool:
    """Say whether a batch waits for the lock."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    return query(environment, waits) != [(0,)]


@pytest.mark.parametrize("behind", SIGNS)
def test_the_breaker_opens_within_a_minute_and_loading_goes_on_over_a_new_route(
    environment: dict[str, str],
    lake: Lake,
    network: FarNetwork,
    tmp_path: Path,
    unused_tcp_port: int,
    behind: str,
) -> None:
    """One batch is under way, and receives, extensions and deletions are."""
    with_tables(environment)
    own, log = environment | {"HTTP_PORT": str(unused_tcp_port)}, tmp_path / "log"
    with consumer_over(network, behind, own, log) as process:
        put_checks(lake, range(3))
        until(lambda: loaded(environment) == 3, "the first objects are loaded")
        with batch_in_the_middle(environment):
            put_checks(lake, range(3, 20))
            until(lambda: is_waiting(environment), "a batch is under way")
            network.drop_route()
            began = time.monotonic()
        until(lambda: all(sign in log.read_text() for sign in SIGNS[behind]), "it is noticed")
        assert time.monotonic() - began < NOTICED_SECONDS
        assert page(unused_tcp_port, "/readyz")[0] == 503
        network.restore_route()
        began = time.monotonic()
        until(lambda: depth(lake, lake.queue_url) == 0, "the queue is empty")
        assert time.monotonic() - began < RESUMED_SECONDS
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_SECONDS) == 0, log.read_text()
    assert loaded(environment) == 20
    assert depth(lake, lake.dlq_url) == 0
