"""One visit of a page: what it asks, who did not answer, and how it is shown."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from console.access.identities import Identity
from console.data.database import Row
from console.data.servers import Servers, Source
from console.web.links import query
from console.web.templates import TEMPLATES
from consumer.errors import ConsumerError, StorageUnavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Section:
    """A page and what belongs to it; without a title it is not in the navigation."""

    path: str
    title: str = ""
    router: APIRouter = field(default_factory=APIRouter)


class Page:
    """A visit; a server that did not answer is named above the rest, which is shown all the same.

    Each server is given up for the whole page once it has not answered.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.servers: Servers = request.app.state.servers
        self.as_of = datetime.now(UTC)
        self.unanswered: dict[Source, str] = {}

    @property
    def identity(self) -> Identity | None:
        """Who is looking; None on the page where one logs in."""
        return getattr(self.request.state, "identity", None)

    @property
    def is_operator(self) -> bool:
        """Whether the visitor may act and read documents."""
        return self.identity is not None and self.identity.is_operator

    @property
    def may_log_out(self) -> bool:
        """Whether the visitor has a session to end."""
        return self.request.app.state.doors.tokens is not None

    @property
    def path(self) -> str:
        """Return the page's own path."""
        return self.request.url.path

    @property
    def sections(self) -> tuple[Section, ...]:
        """Return what the navigation names."""
        return tuple(one for one in self.request.app.state.sections if one.title)

    def here(self, **changes: object) -> str:
        """Return this page's address with some parameters changed; None drops one.

        What the page does not know is left out: a page may name its own address a hundred times.
        """
        route = self.request.scope.get("route")
        known = {one.alias for one in route.dependant.query_params} if route else set()
        kept = {name: one for name, one in self.request.query_params.items() if name in known}
        return query(self.path, **{**kept, **changes})

    def asked(self, **values: object) -> str:
        """Return a query of what was chosen, to put behind a path; nothing if nothing was."""
        return query("", **values)

    def plan(self, kind: str, **choice: object) -> str:
        """Return where an action is planned."""
        return query("/plan", kind=kind, **choice)

    async def ask(
        self, source: Source, work: Callable[[], Awaitable[T]], seconds: float | None = None
    ) -> T | None:
        """Return what a server answers; None: not in time, and the page says why.

        `seconds`: instead of CONSOLE_ANSWER_SECONDS.
        """
        if source in self.unanswered:
            return None
        seconds = seconds or self.servers.settings.console_answer_seconds
        outage = self.servers.outages.get(source)
        try:
            async with asyncio.timeout(seconds):
                if outage is not None:
                    await outage.check()
                return await work()
        except StorageUnavailable as error:
            self.unanswered[source] = str(error)
            if outage is not None:
                outage.begin(error)
        except ConsumerError as error:
            self.unanswered[source] = str(error)
        except TimeoutError:
            self.unanswered[source] = f"no answer within {seconds:g} s"
        return None

    async def rows(self, name: str, /, **asked: object) -> list[Row] | None:
        """Return the rows of a query by its name; None when PostgreSQL did not answer."""
        work = partial(self.servers.database.rows, name, **asked)
        return await self.ask(Source.DATABASE, work)

    def render(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """Show a template: it knows the visit as `page`, and what else is named."""
        html = TEMPLATES.get_template(template).render(page=self, **values)
        return HTMLResponse(html, status, {"Cache-Control": "no-store"})


Visit = Annotated[Page, Depends(Page)]
