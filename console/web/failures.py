"""What is shown when a page cannot be: what happened, and where to go on."""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from console.web.page import Page

log = structlog.get_logger()

_ADVICE = {
    404: "There is no such page. Was the address cut short?",
    405: "The page cannot be asked like that.",
}


def add_failures(app: FastAPI) -> None:
    """Show failures of requests as pages."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    phrase = HTTPStatus(status).phrase
    told = error.detail if isinstance(error, HTTPException) and error.detail != phrase else None
    return _page(request, status, told or _ADVICE.get(status, phrase))


async def _unreadable(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    told = {f"{one['loc'][-1]} ({one['msg'][:1].lower()}{one['msg'][1:200]})" for one in found}
    names = ", ".join(sorted(told))
    return _page(request, 400, f"This cannot be read: {names}. Correct it in the address.")


async def _failed(request: Request, error: Exception) -> Response:
    # The names only: a message may hold what a document says.
    log.error("page_failed", path=request.url.path, reason=type(error).__name__)
    return _page(request, 500, "The console has a fault here; its log names the page.")


def _page(request: Request, status: int, told: str) -> Response:
    title = HTTPStatus(status).phrase
    return Page(request).render("failure.html", status, title=title, told=told)
