"""Asking an ASGI application without a server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Scope


@dataclass(frozen=True)
class Answer:
    """What an application answered; names of headers are lower case."""

    status: int
    headers: dict[str, str]
    body: str


async def ask(
    app: ASGIApp,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes = b"",
) -> Answer:
    """Send one request, to `localhost` unless its headers say otherwise."""
    told = {"host": "localhost", **(headers or {})}
    path, _, query = path.partition("?")
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in told.items()],
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start: dict[str, Any] = dict(sent[0])
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    parts = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(start["status"], found, parts.decode())
