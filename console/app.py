"""Builds the console: its settings, servers and pages in one place."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from console.access.guard import Guard
from console.actions.desk import Desk, open_desk
from console.data.servers import Servers, open_servers
from console.pages import (
    actions,
    cause,
    completeness,
    dead_letters,
    doctor,
    drift,
    find,
    live,
    login,
    revenue,
    store_day,
)
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
    dead_letters.SECTION,
    cause.SECTION,
    actions.SECTION,
    live.SECTION,
    doctor.SECTION,
    login.SECTION,
)


def build(servers: Servers, desk: Desk | None = None) -> ASGIApp:
    """Return the application, behind its guard."""
    app = FastAPI(title="coco console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.servers, app.state.sections = servers, SECTIONS
    app.state.desk = desk = desk or open_desk(servers)
    app.state.doors = doors = desk.doors
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


@asynccontextmanager
async def built(servers: Servers) -> AsyncIterator[ASGIApp]:
    """Give the application; what operators began is carried out meanwhile, if there are any."""
    desk = open_desk(servers)
    if not servers.settings.console_operators:
        yield build(servers, desk)
        return
    carrying = asyncio.create_task(desk.carrier.run(), name="carry out actions")
    try:
        yield build(servers, desk)
    finally:
        carrying.cancel()
        await asyncio.wait([carrying])


async def run(settings: ConsoleSettings, tell: Callable[[str], object]) -> None:
    """Serve the pages until SIGTERM or SIGINT; `tell` is given their address.

    Raises:
        ConsoleError: the port cannot be listened on.
        AwsUnusable: no client can be made from the AWS settings.
    """
    async with open_servers(settings) as servers, built(servers) as app:
        await serve(app, servers, tell)
