"""Stands before every page: hosts, origins, identities, and headers on whatever is answered.

Pure ASGI: what wraps responses in tasks of its own would hold back or break event streams.
"""

from collections.abc import Collection
from typing import Protocol
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.access.identities import Identity, NotProven
from console.access.requests import HEADERS, SAFE_METHODS, is_for_us, is_from_our_page

log = structlog.get_logger()

LOG_IN, LOG_OUT = "/login", "/logout"
_HEALTH = "/healthz"  # asked by load balancers, under whatever name
_OPEN = "/static/"
_FOR_EVERYBODY = (LOG_IN, LOG_OUT)  # what those who may only look may send


class Authenticator(Protocol):
    """Finds out who sent a request."""

    async def identify(self, connection: HTTPConnection) -> Identity:
        """Return who, or raise NotProven."""


class Guard:
    """The middleware. Who may not is answered here; everybody else is known to the pages."""

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator, hosts: Collection[str], *, log_in: bool
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._hosts = frozenset(one.lower() for one in hosts)
        self._log_in = log_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        answer = await self._refused(scope)
        await (answer or self._app)(scope, receive, guarded)

    async def _refused(self, scope: Scope) -> Response | None:
        path, headers = scope["path"], Headers(scope=scope)
        if path == _HEALTH:
            return None
        if not is_for_us(headers.get("host", ""), self._hosts):
            return _told(421, "This name is not the console's; add it to CONSOLE_HOSTS.")
        if scope["method"] not in SAFE_METHODS and not is_from_our_page(headers):
            log.warning("request_refused", path=path, reason="cross_site")
            return _told(403, "Refused: this was not sent by a page of the console.")
        return None if path.startswith(_OPEN) else await self._recognised(scope)

    async def _recognised(self, scope: Scope) -> Response | None:
        path = scope["path"]
        try:
            identity = await self._authenticator.identify(HTTPConnection(scope))
        except NotProven as error:
            return self._unknown(scope, error)
        scope.setdefault("state", {})["identity"] = identity
        is_safe = scope["method"] in SAFE_METHODS
        if not is_safe and not identity.is_operator and path not in _FOR_EVERYBODY:
            return _told(403, f"Refused: {identity.name} is not among CONSOLE_OPERATORS.")
        return None

    def _unknown(self, scope: Scope, error: NotProven) -> Response | None:
        if self._log_in and scope["path"] in _FOR_EVERYBODY:
            return None
        if self._log_in and scope["method"] == "GET" and "text/html" in _accepted(scope):
            asked = quote(scope["path"] + (f"?{scope['query_string'].decode('latin-1')}"), safe="")
            return RedirectResponse(f"{LOG_IN}?next={asked}", 303, {"Cache-Control": "no-store"})
        log.warning("request_refused", path=scope["path"], reason="not_proven")
        return _told(401, f"Not let in: {error}.")


def _accepted(scope: Scope) -> str:
    return Headers(scope=scope).get("accept", "")


def _told(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status, {"Cache-Control": "no-store"})
