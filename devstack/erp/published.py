"""What the published description says about answers: examples and errors, route by route."""

from typing import Any

from devstack.erp.contract import ANSWER_MODELS
from devstack.erp.examples import example_answer
from devstack.erp.problems import MEDIA_TYPE, Problem, problem_body, title_of
from schemas.registry import ENDPOINTS, Endpoint

Responses = dict[int | str, dict[str, Any]]

_DETAILS = {
    400: "the request body is not JSON",
    401: "the token is wrong or has expired: renew it",
    404: "getChargeBack is not enabled for this organisation",
    422: "body.busDt: write the day as YYYY-MM-DD",
    429: "too many requests: wait as Retry-After says",
    500: "something went wrong: try again",
    504: "the data centre did not answer in time: try again",
}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {
        "Retry-After": {
            "description": "Seconds to wait before the next request.",
            "schema": {"type": "integer", "minimum": 0},
        }
    },
}


def success(endpoint: Endpoint) -> Responses:
    """Describe an endpoint's answer; `put_answers` adds its example."""
    return {200: {"model": ANSWER_MODELS[endpoint.source], "description": "The whole day."}}


def put_answers(document: dict[str, Any]) -> None:
    """Add an example to each endpoint's answer, made by the simulator itself.

    Done in the finished document: FastAPI takes fields out of examples that are null.
    """
    for endpoint in ENDPOINTS:
        answer = document["paths"][endpoint.path]["post"]["responses"]["200"]
        answer["content"]["application/json"]["example"] = example_answer(endpoint.source)


def example(value: object) -> Responses:
    """Give the example of a route's answer."""
    return {200: {"content": {"application/json": {"example": value}}}}


def problems(*statuses: int) -> Responses:
    """Describe error answers, by content: for a `model`, FastAPI would assume plain JSON."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": title_of(status),
        "content": {
            MEDIA_TYPE: {
                "schema": Problem.model_json_schema(),
                "example": problem_body(status, _DETAILS[status]),
            }
        },
    }
    if status in _HEADERS:
        described["headers"] = _HEADERS[status]
    return described
