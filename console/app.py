"""Builds the console: its settings, servers and pages in one place."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp

from console.access.doors import open_doors
from console.access.guard import Guard
from console.data.servers import Servers, open_servers
from console.pages import completeness, drift, find, login, revenue, store_day
from console.settings import ConsoleSettings
from console.web import failures, static_files
from console.web.page import Section
from console.web.serving import serve

#: Every page, in the order of the navigation.
SECTIONS: tuple[Section, ...] = (
    completeness.SECTION,
    store_day.SECTION,
    revenue.SECTION,
    drift.SECTION,
    find.SECTION,
    login.SECTION,
)


def build(servers: Servers) -> ASGIApp:
    """Return the application, behind its guard."""
    app = FastAPI(title="coco console", docs_url=None, redoc_url=None, openapi_url=None)
    doors = open_doors(servers.settings)
    app.state.servers, app.state.sections, app.state.doors = servers, SECTIONS, doors
    failures.add_failures(app)
    app.include_router(static_files.router)
    for section in SECTIONS:
        app.include_router(section.router)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    # Around everything, so that a page that failed is answered with the same headers.
    log_in = doors.tokens is not None
    return Guard(app, doors.authenticator, doors.hosts, log_in=log_in)


async def run(settings: ConsoleSettings, tell: Callable[[str], object]) -> None:
    """Serve the pages until SIGTERM or SIGINT; `tell` is given their address.

    Raises:
        ConsoleError: the port cannot be listened on.
        AwsUnusable: no client can be made from the AWS settings.
    """
    async with open_servers(settings) as servers:
        await serve(build(servers), servers, tell)
