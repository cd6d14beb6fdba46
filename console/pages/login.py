"""Log-in with a token, where `CONSOLE_AUTH=token` asks for one, and the way out."""

import asyncio

from fastapi import HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from console.access.doors import Doors
from console.access.guard import LOG_IN, LOG_OUT
from console.access.tokens import COOKIE, SESSION_SECONDS
from console.web.forms import Form
from console.web.page import Section, Visit

SECTION = Section(LOG_IN)
_WRONG_SECONDS = 1.0  # who guesses has to wait


@SECTION.router.get(LOG_IN)
async def ask(page: Visit, next: str = "/") -> Response:  # noqa: A002 - as in the address
    """Ask for a token."""
    return page.render("login.html", wrong=False, next=_own_path(next))


@SECTION.router.post(LOG_IN)
async def log_in(page: Visit, form: Form) -> Response:
    """Open a session for whoever has a token."""
    doors: Doors = page.request.app.state.doors
    if doors.tokens is None:
        raise HTTPException(404)
    target = _own_path(form.get("next", "/"))
    name = doors.tokens.name_of(form.get("token", "").strip())
    if name is None:
        await asyncio.sleep(_WRONG_SECONDS)
        return page.render("login.html", 401, wrong=True, next=target)
    answer = _leaving_to(target)
    answer.set_cookie(
        COOKIE,
        doors.tokens.session(name),
        max_age=SESSION_SECONDS,
        secure=_is_https(page.request),
        httponly=True,
        samesite="strict",
    )
    return answer


@SECTION.router.post(LOG_OUT)
async def log_out(request: Request) -> Response:
    """End the visitor's session."""
    answer = _leaving_to(LOG_IN)
    answer.delete_cookie(COOKIE, secure=_is_https(request), httponly=True, samesite="strict")
    return answer


def _leaving_to(path: str) -> Response:
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


def _own_path(text: str) -> str:
    """Return a path of ours; two slashes, of either kind, would lead to another server."""
    return text if text.startswith("/") and text[1:2] not in ("/", "\\") else "/"


def _is_https(request: Request) -> bool:
    """Say whether the browser used TLS; a proxy in front tells so."""
    told = request.headers.get("x-forwarded-proto", request.url.scheme)
    return told == "https"
