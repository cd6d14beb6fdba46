"""Fixtures of the simulated ERP: its settings, and the API behind a real HTTP server."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from devstack.erp.app import create_app
from devstack.erp.line import CuttableProtocol
from devstack.erp.settings import SimulatorSettings

_START_SECONDS = 10

SettingsOf = Callable[..., SimulatorSettings]


@dataclass(frozen=True)
class Client:
    """Sends requests to one running simulator."""

    port: int

    def send(
        self, method: str, path: str, body: bytes | None = None, token: str | None = None
    ) -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_SECONDS)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers.get_content_type(), answer.read()
        finally:
            connection.close()

    def post(self, path: str, value: Any, token: str | None = None) -> tuple[int, str, bytes]:
        """Send a JSON body."""
        return self.send("POST", path, json.dumps(value).encode(), token)


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SettingsOf:
    """Settings as given, whatever the environment and `.env` of the caller say."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "API_TOKEN",
        *(f"ERP_SIM_{name.upper()}" for name in SimulatorSettings.model_fields),
    ):
        monkeypatch.delenv(name, raising=False)

    def build(**values: Any) -> SimulatorSettings:
        fixed = {"clock": datetime(2024, 5, 5, 6, 6, 6, tzinfo=UTC)}
        return SimulatorSettings(**(fixed | values))

    return build


@pytest.fixture
def running(settings_of: SettingsOf) -> Callable[..., Any]:
    """A context manager that serves the application on a free port."""

    @contextmanager
    def serve(**values: Any) -> Iterator[Client]:
        config = uvicorn.Config(
            create_app(settings_of(**values)),
            port=0,
            access_log=False,
            log_level="error",
            http=CuttableProtocol,
            ws="none",
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not server.started:
                assert time.monotonic() < deadline, "the server did not start"
                thread.join(0.01)
            yield Client(server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(_START_SECONDS)

    return serve
