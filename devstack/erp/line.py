"""The line to the caller, so that an application can cut it: a custom ASGI extension.

ASGI has no message for a broken connection. `CuttableProtocol` is uvicorn's HTTP/1.1 protocol and
hands each request the line it came on, in `scope["extensions"]`.
"""

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "devstack.line"
# On, and zero seconds: closing discards what is unsent and sends RST (socket(7)).
_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """One TCP connection."""

    transport: asyncio.Transport

    def cut(self) -> None:
        """End the connection in order, after what has been sent so far."""
        self.transport.close()

    def reset(self) -> None:
        """Reset the connection: the caller sees an error, not an end."""
        connection: Any = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.transport.abort()


def line_of(scope: Scope) -> Line:
    """Return the line a request came on.

    Raises:
        RuntimeError: another server than one with `CuttableProtocol` serves the application.
    """
    line = scope.get("extensions", {}).get(_EXTENSION)
    if not isinstance(line, Line):
        raise RuntimeError("connections can be cut only when served with http=CuttableProtocol")  # noqa: TRY004 - a wrong set-up, not a wrong argument
    return line


class CuttableProtocol(H11Protocol):
    """uvicorn's protocol, with the line in each request's scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin a connection."""
        super().connection_made(transport)
        self.app = _on_line(self.app, Line(transport))


def _on_line(app: ASGIApp, line: Line) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[_EXTENSION] = line
        await app(scope, receive, send)

    return serve
