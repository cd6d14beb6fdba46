"""Fixtures around the fakes, and settings that do not see this machine."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from producer.settings import Settings
from tests.support.producer_fakes import FakeErp, FakeLake


@pytest.fixture
async def erp_server() -> AsyncIterator[FakeErp]:
    fake = FakeErp()

    async def handle(request: web.Request) -> web.StreamResponse:
        fake.asked.append((request.path, await request.json(), dict(request.headers)))
        assert fake.respond is not None
        return await fake.respond(request)

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    async with TestServer(app) as server:
        fake.url = str(server.make_url("/"))
        yield fake


@pytest.fixture
def lake() -> FakeLake:
    return FakeLake()


@pytest.fixture
def settings_for(clean_environment: None) -> Callable[..., Settings]:
    """Build settings that wait for milliseconds where the defaults wait for seconds."""

    def build(**overrides: Any) -> Settings:
        quick = {
            "bucket_name": "lake",
            "pull_backoff_initial_seconds": 0.001,
            "pull_backoff_max_seconds": 0.005,
            "pull_max_attempts": 3,
            "pull_requests_per_second": 10_000,
        }
        return Settings(**{**quick, **overrides})

    return build


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the machine's own settings and any `.env`."""
    for name, info in Settings.model_fields.items():
        alias = info.validation_alias
        for variable in getattr(alias, "choices", [name.upper()]):
            monkeypatch.delenv(str(variable), raising=False)
    monkeypatch.chdir(tmp_path)
