"""What a fault looks like on the wire."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devstack.erp.faults import FaultKind, Faults
from devstack.erp.line import line_of
from devstack.erp.problems import problem_response

_PIECES = 8
_ERROR_PAGE = """\
<!DOCTYPE html>
<html><head><title>Service Unavailable</title></head>
<body><h1>Service Unavailable</h1><p>The server is temporarily busy.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its way to the application; `receive` still gives its whole body."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send


async def misbehave(kind: FaultKind, exchange: Exchange, faults: Faults) -> None:
    """Answer, or do not answer, in the way of `kind`."""
    if kind in _DISTORTIONS:
        await _DISTORTIONS[kind](exchange, faults)
        return
    if kind is FaultKind.GATEWAY_TIMEOUT:
        await asyncio.sleep(faults.delay_seconds)
    response = _refusal(kind, faults)
    await response(exchange.scope, exchange.receive, exchange.send)


def _refusal(kind: FaultKind, faults: Faults) -> Response:
    """Return the answer of a fault that needs nothing from the application."""
    if kind is FaultKind.THROTTLED:
        wait = {"Retry-After": str(faults.retry_after_seconds)}
        return problem_response(429, "too many requests: wait as Retry-After says", wait)
    if kind is FaultKind.EXPIRED:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        return problem_response(401, "the token has expired: renew it", challenge)
    if kind is FaultKind.HTML:
        return HTMLResponse(_ERROR_PAGE)
    if kind is FaultKind.PROBLEM:
        return problem_response(503, "the data is being loaded: try again", sent_as=200)
    if kind is FaultKind.GATEWAY_TIMEOUT:
        return problem_response(504, "the data centre did not answer in time: try again")
    return problem_response(500, "something went wrong: try again")


async def _slow(exchange: Exchange, faults: Faults) -> None:
    start, body = await _answer(exchange)
    await exchange.send(start)
    size = max(1, -(-len(body) // _PIECES))
    for offset in range(0, len(body), size):
        await asyncio.sleep(faults.delay_seconds / _PIECES)
        await exchange.send(_part(body[offset : offset + size], more=True))
    await exchange.send(_part(b"", more=False))


async def _truncated(exchange: Exchange, _faults: Faults) -> None:
    start, body = await _answer(exchange)
    if start["status"] == 200:
        body = body[: len(body) * 2 // 3]
        MutableHeaders(scope=start)["content-length"] = str(len(body))
    await exchange.send(start)
    await exchange.send(_part(body, more=False))


async def _cut(exchange: Exchange, _faults: Faults) -> None:
    start, body = await _answer(exchange)
    await exchange.send(start)
    await exchange.send(_part(body[: len(body) // 2], more=True))
    line_of(exchange.scope).cut()
    await _gone(exchange.receive)


async def _reset(exchange: Exchange, _faults: Faults) -> None:
    line_of(exchange.scope).reset()
    await _gone(exchange.receive)


async def _another_store(exchange: Exchange, _faults: Faults) -> None:
    await _ask_instead(exchange, "storeId", lambda store: f"{store} 2")


async def _another_day(exchange: Exchange, _faults: Faults) -> None:
    await _ask_instead(exchange, "busDt", _a_week_before)


def _a_week_before(day: str) -> str:
    return str(date.fromisoformat(day) - timedelta(days=7))


async def _ask_instead(exchange: Exchange, name: str, change: Callable[[str], str]) -> None:
    """Let the application answer another question than the one that was asked."""
    message = await exchange.receive()
    request = json.loads(message["body"])
    name = name if name in request else "locRef"
    with suppress(ValueError):  # no day: the application says so
        request[name] = change(request[name].strip())

    async def receive() -> Message:
        return {**message, "body": json.dumps(request).encode()}

    await exchange.app(exchange.scope, receive, exchange.send)


_DISTORTIONS: dict[FaultKind, Callable[[Exchange, Faults], Awaitable[None]]] = {
    FaultKind.SLOW: _slow,
    FaultKind.TRUNCATED: _truncated,
    FaultKind.CUT: _cut,
    FaultKind.RESET: _reset,
    FaultKind.ANOTHER_STORE: _another_store,
    FaultKind.ANOTHER_DAY: _another_day,
}


async def _answer(exchange: Exchange) -> tuple[Message, bytes]:
    """Let the application answer, and keep what it says: the start and the whole body."""
    kept: list[Message] = []

    async def keep(message: Message) -> None:
        kept.append(message)

    await exchange.app(exchange.scope, exchange.receive, keep)
    start, *parts = kept
    return start, b"".join(part.get("body", b"") for part in parts)


async def _gone(receive: Receive) -> None:
    """Wait until the server knows that the line is cut, or it would complain about us."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
