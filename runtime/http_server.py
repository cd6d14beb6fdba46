"""A program's HTTP port: whether it lives, whether it is ready, its metrics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import ClassVar

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from runtime.errors import EXIT_USAGE, ReportedError

# Returns what is wrong, or None.
Check = Callable[[], Awaitable[str | None]]


class PortTaken(ReportedError):
    """The HTTP port cannot be listened on."""

    exit_code: ClassVar[int] = EXIT_USAGE


def health_pages(healthz: Check, readyz: Check, registry: CollectorRegistry) -> FastAPI:
    """Build `/healthz` and `/readyz`, 200 or 503 with what is wrong, and `/metrics`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def page(check: Check) -> Response:
        wrong = await check()
        text, status = (f"{wrong}\n", 503) if wrong else ("ok\n", 200)
        return Response(text, status_code=status, media_type="text/plain")

    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app.add_api_route("/healthz", partial(page, healthz))
    app.add_api_route("/readyz", partial(page, readyz))
    app.add_api_route("/metrics", metrics)
    return app


@asynccontextmanager
async def served(app: FastAPI, host: str, port: int | None) -> AsyncIterator[None]:
    """Serve while the block runs, if there is a port; raises PortTaken."""
    if port is None:
        yield
        return
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        lifespan="off",
        limit_concurrency=32,
        timeout_keep_alive=5,  # seconds
        server_header=False,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve_quietly(), name="http-server")
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        if serving.done():
            raise PortTaken(f"{host}:{port} cannot be listened on; correct HTTP_HOST and HTTP_PORT")
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """A server that leaves signals, and ending the process, to the program."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def serve_quietly(self) -> None:
        # uvicorn ends the process when the port is taken; that is for the command line to do.
        with suppress(SystemExit):
            await self.serve()
