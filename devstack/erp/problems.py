"""Errors as `application/problem+json` (RFC 9457), the shape the real ERP uses."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
# Named as RFC 9110 does, on every Python version.
_TITLES = {422: "Unprocessable Content"}


class Problem(BaseModel):
    """What every error answer looks like."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["body.busDt: write the day as YYYY-MM-DD"])


def problem_response(
    status: int,
    detail: str,
    headers: dict[str, str] | None = None,
    *,
    sent_as: int | None = None,
) -> JSONResponse:
    """Build the answer for an error; `sent_as` is another status for a server that lies."""
    problem = problem_body(status, detail)
    return JSONResponse(problem, sent_as or status, headers, MEDIA_TYPE)


def problem_body(status: int, detail: str) -> dict[str, object]:
    """Return the problem document for a status."""
    title = title_of(status)
    return Problem(type="about:blank", title=title, status=status, detail=detail).model_dump()


def title_of(status: int) -> str:
    """Return a status in words."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def install_problems(app: FastAPI) -> None:
    """Make every error that leaves `app` a problem document."""
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_bug)


async def _on_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    details = error.errors() if isinstance(error, RequestValidationError) else []
    if any(detail["type"] == "json_invalid" for detail in details):
        return problem_response(400, "the request body is not JSON")
    reasons = [
        f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}" for detail in details
    ]
    return problem_response(422, "; ".join(reasons))


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return await _on_bug(request, error)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # The framework names the methods of one route only; a path may have several routes.
        methods = request.app.openapi()["paths"].get(request.url.path, {})
        headers["Allow"] = ", ".join(sorted(method.upper() for method in methods))
    return problem_response(error.status_code, str(error.detail), headers)


async def _on_bug(_request: Request, error: Exception) -> JSONResponse:
    return problem_response(500, f"the simulator failed: {type(error).__name__}")
