"""The guard: whatever may not pass is answered before a page sees it."""

import pytest
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from console.access.guard import Guard
from console.access.identities import Identity, NotProven
from tests.support.asgi import Answer, ask

OURS = {"sec-fetch-site": "same-origin"}


class As:
    """Knows everybody as one visitor, or nobody."""

    def __init__(self, found: Identity | None) -> None:
        self.found = found

    async def identify(self, _connection: HTTPConnection) -> Identity:
        if self.found is None:
            raise NotProven("nobody")
        return self.found


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with who is looking."""
    await PlainTextResponse(str(scope.get("state", {}).get("identity")))(scope, receive, send)


def guarded(
    found: Identity | None, hosts: tuple[str, ...] = (), *, log_in: bool = False
) -> ASGIApp:
    return Guard(page, As(found), hosts, log_in=log_in)


OPERATOR = guarded(Identity("ana", is_operator=True), ("console.example.com", "other:8443"))
VIEWER = guarded(Identity("rui", is_operator=False))
NOBODY = guarded(None, log_in=True)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8090",
        "127.0.0.1:1",
        "[::1]:8090",
        "[::1]",
        "console.example.com",
        "Console.Example.com",
        "other:8443",
    ],
)
async def test_the_console_answers_to_its_own_names(host: str) -> None:
    assert 200 == (await ask(OPERATOR, "/", {"host": host})).status


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "other",
        "other:8080",
        "console.example.com:8443",
        "localhost@evil.example",
        "::1",
        ":80",
        ",",
        "localhost,evil",
    ],
)
async def test_another_name_may_be_a_page_that_points_at_us(host: str) -> None:
    """DNS rebinding: the browser believes that this machine is the attacker's own server."""
    assert 421 == (await ask(OPERATOR, "/", {"host": host})).status


async def test_health_is_told_under_whatever_name() -> None:
    assert 200 == (await ask(NOBODY, "/healthz", {"host": "10.0.0.7:8090"})).status


async def post(app: ASGIApp, headers: dict[str, str], path: str = "/act") -> Answer:
    return await ask(app, path, headers, method="POST")


@pytest.mark.parametrize(
    "headers",
    [
        OURS,
        {"origin": "http://localhost"},
        {"authorization": "Bearer x"},
        OURS | {"origin": "null"},
        {"host": "localhost:8090", "origin": "http://localhost:8090"},
        {"host": "console.example.com", "origin": "https://console.example.com"},
    ],
)
async def test_what_a_page_of_ours_sends_passes(headers: dict[str, str]) -> None:
    assert (200, "ana") == ((answer := await post(OPERATOR, headers)).status, answer.body)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost"},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"referer": "http://localhost/"},
        {"sec-fetch-site": "cross-site", "authorization": "Bearer x"},
        {"authorization": "Basic x"},
    ],
)
async def test_what_another_site_sends_is_refused(headers: dict[str, str]) -> None:
    assert 403 == (await post(OPERATOR, headers)).status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get"])
async def test_every_method_that_could_act_needs_a_page_of_ours(method: str) -> None:
    assert 403 == (await ask(OPERATOR, "/act", method=method)).status


async def test_who_is_no_operator_sees_pages_and_does_nothing() -> None:
    assert "rui · read-only" == (await ask(VIEWER, "/")).body
    refused = await post(VIEWER, OURS)
    assert (403, True) == (refused.status, "CONSOLE_OPERATORS" in refused.body)
    assert 200 == (await post(VIEWER, OURS, "/logout")).status


async def test_who_is_not_known_is_led_to_the_log_in_and_back() -> None:
    answer = await ask(NOBODY, "/cause/x?at=1", {"accept": "text/html"})
    assert (303, "/login?next=%2Fcause%2Fx%3Fat%3D1") == (
        answer.status,
        answer.headers["location"],
    )
    assert 200 == (await ask(NOBODY, "/login", {"accept": "text/html"})).status
    assert 200 == (await ask(NOBODY, "/static/x.css")).status


@pytest.mark.parametrize(
    "path", ["/", "/live/stream", "/static", "/LOGIN", "/login/x", "//static/"]
)
async def test_who_is_not_known_gets_nothing_else(path: str) -> None:
    assert 401 == (await ask(NOBODY, path)).status
    assert 401 == (await ask(NOBODY, path, OURS, method="POST")).status
    assert 401 == (await ask(guarded(None), "/login", {"accept": "text/html"})).status


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
async def test_every_answer_says_what_browsers_may_do_with_it(host: str) -> None:
    headers = (await ask(OPERATOR, "/", {"host": host})).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert "'none'" == policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"]
    assert "'self'" == policy["form-action"] == policy["script-src"] == policy["style-src"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "nosniff" == headers["x-content-type-options"]
    assert "same-origin" == headers["referrer-policy"]
    assert "same-origin" == headers["cross-origin-opener-policy"]
