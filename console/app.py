"""Builds the console: its settings, servers and pages in one place."""

from collections.abc import Callable

from fastapi import FastAPI

from console.data.servers import Servers, open_servers
from console.pages import completeness
from console.settings import ConsoleSettings
from console.web import failures, static_files
from console.web.page import Section
from console.web.serving import serve

#: Every page, in the order of the navigation.
SECTIONS: tuple[Section, ...] = (completeness.SECTION,)


def build(servers: Servers) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="coco console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.servers, app.state.sections = servers, SECTIONS
    # `console/access` adds its middleware here: hosts, origins, identities, headers.
    failures.add_failures(app)
    app.include_router(static_files.router)
    for section in SECTIONS:
        app.include_router(section.router)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


async def run(settings: ConsoleSettings, tell: Callable[[str], object]) -> None:
    """Serve the pages until SIGTERM or SIGINT; `tell` is given their address.

    Raises:
        ConsoleError: the port cannot be listened on.
        AwsUnusable: no client can be made from the AWS settings.
    """
    async with open_servers(settings) as servers:
        await serve(build(servers), servers, tell)
