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

from consumer.breaker import Breaker, Probe
from consumer.errors import ConsumerError
from consumer.metrics import REGISTRY

_PROBE_SECONDS = 5.0


class Punctual(Protocol):
    """Something that must happen in time."""

    @property
    def is_on_time(self) -> bool:
        """Whether it did, the last time."""


def health_app(leases: Punctual, breaker: Breaker, probe: Probe) -> FastAPI:
    """Build the pages.

    `/healthz` answers 200 while the event loop runs and leases are extended in time, else 503:
    restart the process. `/readyz` answers 200 while database, bucket and queue answer and the
    breaker is closed, else 503 with the reason: it mends itself. `/metrics` is Prometheus text.
    """
    app = FastAPI(title="coco-ingest consumer", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> Response:
        return _answer(None if leases.is_on_time else "leases are not extended in time")

    @app.get("/readyz")
    async def readyz() -> Response:
        if breaker.is_open:
            return _answer("the breaker is open: something that we stand on is down")
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
    server = _Server(uvicorn.Config(app, host=host, port=port, log_config=None, lifespan="off"))
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
