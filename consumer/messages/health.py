"""The HTTP port: whether the process lives, whether it can work, and its metrics.

Serves nothing secret, and binds to localhost unless told otherwise.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from consumer.errors import ConsumerError
from consumer.messages.breakers import Breakers, Probe
from consumer.metrics import REGISTRY

_PROBE_SECONDS = 5.0
_CONNECTIONS, _IDLE_SECONDS = 32, 5


class Punctual(Protocol):
    """Something that must happen in time."""

    @property
    def is_on_time(self) -> bool:
        """Whether it did, the last time."""


def health_app(leases: Punctual, breakers: Breakers, probe: Probe) -> FastAPI:
    """Build the pages.

    `/healthz` answers 200 while the event loop runs, leases are extended in time and no failure
    burst suspends the work, else 503 with the reason: restart the process, or roll it back.
    `/readyz` answers 200 while moreover no outage is known and database, bucket and queue
    answer, else 503 with the reason: it mends itself. `/metrics` is Prometheus text.
    """
    app = FastAPI(title="coco-ingest consumer", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> Response:
        late = None if leases.is_on_time else "leases are not extended in time"
        return _answer(late or breakers.failure.reason)

    @app.get("/readyz")
    async def readyz() -> Response:
        if breakers.reason:
            return _answer(breakers.reason)
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await probe()
        except (ConsumerError, TimeoutError) as error:
            return _answer(str(error) or f"no answer within {_PROBE_SECONDS} s")
        return _answer(None)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return app


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until cancelled.

    Raises:
        OSError: the port cannot be taken.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        lifespan="off",
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        server_header=False,
    )
    server = _Server(config)
    try:
        await server.serve()
    finally:
        server.should_exit = True


class _Server(uvicorn.Server):
    """A server that leaves signals to the consumer."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _answer(problem: str | None) -> Response:
    if problem is None:
        return Response("ok\n", media_type="text/plain")
    return Response(f"{problem}\n", status_code=503, media_type="text/plain")
