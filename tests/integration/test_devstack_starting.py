import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import localstack, postgres
from devstack import servers as servers_module
from devstack.server import ServerFailedError, ServerSpec, free_port, last_lines
from devstack.servers import Servers

LISTEN = """
import socket, sys, time
server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
time.sleep(60)
"""


def listening_spec(name: str, port: int, *, is_ready: bool = True) -> ServerSpec:
    return ServerSpec(
        name=name,
        command=[sys.executable, "-c", LISTEN, str(port)],
        environment={},
        is_ready=lambda: is_ready,
        port=port,
    )


@pytest.fixture
def watch_pipe() -> Iterator[int]:
    reader, writer = os.pipe()
    yield writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def servers(tmp_path: Path, watch_pipe: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    """Give servers of which LocalStack is a small listener and PostgreSQL answers at once."""
    monkeypatch.setattr(
        localstack, "prepare", lambda _directory, port: listening_spec("localstack", port)
    )
    monkeypatch.setattr(
        postgres,
        "prepare",
        lambda *_: ServerSpec("postgres", ["sleep", "60"], os.environ, lambda: True),
    )
    monkeypatch.setattr(postgres, "environment", lambda *_: {})
    servers = Servers(tmp_path, watch_pipe, with_api=False)
    yield servers
    servers.stop()


def wait_until_ready(servers: Servers) -> None:
    while not servers.all_ready:
        list(servers.newly_ready())


def test_a_port_taken_meanwhile_is_replaced_by_another(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between choosing a free port and listening on it, somebody else may take it."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        ports = [taken, free_port(), free_port()]
        monkeypatch.setattr(servers_module, "free_port", lambda: ports.pop(0))
        # The stranger's port looks ready; the server behind it has ended.
        servers.start()
        wait_until_ready(servers)
        assert ports == []
        assert f":{taken}" not in servers.environment["AWS_ENDPOINT_URL"]


def test_ports_that_are_always_taken_end_the_attempts(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        monkeypatch.setattr(servers_module, "free_port", lambda: stranger.getsockname()[1])
        servers.start()
        with pytest.raises(ServerFailedError, match="localstack found its port taken 3 times"):
            wait_until_ready(servers)


def test_a_server_that_is_never_ready_is_named_after_the_timeout(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        localstack,
        "prepare",
        lambda _directory, port: listening_spec("localstack", port, is_ready=False),
    )
    monkeypatch.setattr(servers_module, "START_TIMEOUT_SECONDS", 0.1)
    servers.start()
    with pytest.raises(ServerFailedError, match="localstack was not ready after"):
        wait_until_ready(servers)


def test_a_server_that_ends_later_is_reported_once(servers: Servers) -> None:
    servers.start()
    wait_until_ready(servers)
    assert list(servers.newly_ended()) == []
    os.kill(servers.processes["localstack"], 9)
    messages: list[str] = []
    while not messages:
        messages = [str(failure) for failure in servers.newly_ended()]
    assert messages[0].startswith("localstack was ended by signal 9")
    assert list(servers.newly_ended()) == []


def test_a_missing_localstack_environment_names_the_command_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(localstack.PYTHON_VARIABLE, str(tmp_path / "python"))
    with pytest.raises(ServerFailedError, match="make setup"):
        localstack.find_python()


def test_a_directory_too_deep_for_a_socket_is_refused_before_anything_starts(
    tmp_path: Path, watch_pipe: int
) -> None:
    deep = tmp_path / ("d" * 100)
    with pytest.raises(ServerFailedError, match="too long for a socket"):
        postgres.prepare(deep, watch_pipe)
    assert not deep.exists()


def test_copied_binaries_run(tmp_path: Path) -> None:
    """Where the unprivileged user cannot reach the wheel, a copy must find its libraries."""
    copy = postgres.copied_binaries(postgres.find_binaries(), tmp_path)
    version = subprocess.run([copy / "psql", "--version"], capture_output=True, check=True)
    assert version.stdout.startswith(b"psql (PostgreSQL)")


def test_a_closed_directory_cannot_be_walked_by_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    inner = tmp_path / "inner"
    inner.mkdir(mode=0o700)
    assert not postgres.may_be_walked(inner)


def test_the_end_of_a_log_or_why_there_is_none(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log) == ["(no log: No such file or directory)"]
    log.touch()
    assert last_lines(log) == ["(it wrote nothing)"]
    log.write_bytes(b"\xff\n2\n3\n")
    assert last_lines(log, 2) == ["2", "3"]
