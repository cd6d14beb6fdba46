"""A program's HTTP port: whether it lives, whether it is ready, its metrics."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from runtime.errors import EXIT_USAGE, ReportedError

# Returns what is wrong, or None.
Check = Callable[[], Awaitable[str | None]]

_KEEP_ALIVE_SECONDS = 5.0
_STOP_SECONDS = 1.0  # for answers under way; a page must not delay the program's end


class PortTaken(ReportedError):
    """The HTTP port cannot be listened on."""

    exit_code: ClassVar[int] = EXIT_USAGE


def health_pages(healthz: Check, readyz: Check, registry: CollectorRegistry) -> web.Application:
    """Build `/healthz` and `/readyz`, 200 or 503 with what is wrong, and `/metrics`."""

    def page(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_: web.Request) -> web.Response:
            wrong = await check()
            return web.Response(text=f"{wrong or 'ok'}\n", status=503 if wrong else 200)

        return answer

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app = web.Application()
    app.router.add_get("/healthz", page(healthz))
    app.router.add_get("/readyz", page(readyz))
    app.router.add_get("/metrics", metrics)
    return app


@asynccontextmanager
async def served(app: web.Application, host: str, port: int | None) -> AsyncIterator[None]:
    """Serve while the block runs, if there is a port; raises PortTaken."""
    if port is None:
        yield
        return
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=_KEEP_ALIVE_SECONDS,
        shutdown_timeout=_STOP_SECONDS,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise PortTaken(
                f"{host}:{port} cannot be listened on; correct HTTP_HOST and HTTP_PORT"
            ) from error
        yield
    finally:
        await runner.cleanup()
