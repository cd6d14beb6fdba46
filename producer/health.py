"""The daemon's HTTP port: whether it lives, whether its last round was whole, its metrics.

Serves nothing secret, and binds to localhost unless told otherwise.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from producer.errors import SettingsInvalid


def health_app(problem: Callable[[], str | None], registry: CollectorRegistry) -> FastAPI:
    """Build the pages.

    `/healthz` answers 200 while the event loop runs. `/readyz` answers 200 when the last round
    ended with nothing missing, else 503 with the reason; before the first has ended, too.
    `/metrics` is Prometheus text.
    """
    app = FastAPI(title="coco-ingest producer", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz")
    async def readyz() -> Response:
        lacking = problem()
        return Response(
            f"{lacking or 'ok'}\n", status_code=503 if lacking else 200, media_type="text/plain"
        )

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return app


@asynccontextmanager
async def served(app: FastAPI, host: str, port: int | None) -> AsyncIterator[None]:
    """Serve while the block runs; not at all without a port.

    Raises:
        SettingsInvalid: The port cannot be taken.
    """
    if port is None:
        yield
        return
    server = _Server(uvicorn.Config(app, host=host, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(_serve(server))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        if serving.done():
            raise SettingsInvalid(
                f"{host}:{port} cannot be listened on; correct PRODUCER_HTTP_HOST and "
                "PRODUCER_HTTP_PORT"
            )
        yield
    finally:
        server.should_exit = True
        await serving


async def _serve(server: uvicorn.Server) -> None:
    # uvicorn ends the process when the port is taken; that is for the command line to do.
    try:
        await server.serve()
    except SystemExit:
        return


class _Server(uvicorn.Server):
    """A server that leaves signals to the daemon."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
