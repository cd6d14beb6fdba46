"""Errors as `application/problem+json` (RFC 9457), the shape the real ERP uses."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What every error answer looks like."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["body.busDt: write the day as YYYY-MM-DD"])


def problem_response(
    status: int, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Build the answer for an error."""
    title = HTTPStatus(status).phrase
    problem = Problem(type="about:blank", title=title, status=status, detail=detail)
    return JSONResponse(problem.model_dump(), status, headers, MEDIA_TYPE)


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


async def _on_http_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return await _on_bug(_request, error)
    headers = dict(error.headers) if error.headers else None
    return problem_response(error.status_code, str(error.detail), headers)


async def _on_bug(_request: Request, error: Exception) -> JSONResponse:
    return problem_response(500, f"the simulator failed: {type(error).__name__}")
