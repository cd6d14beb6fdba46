"""The door of the endpoints: every request passes here, and some do not get through.

The one place where faults are drawn and endpoints are closed; the application behind it knows
nothing of either. Control and health have no door.
"""

import simplejson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devstack.erp.faults import Cell, FaultPlan
from devstack.erp.misbehaviour import Exchange, misbehave
from devstack.erp.problems import problem_response
from schemas.registry import ENDPOINTS

_NAMES = {endpoint.path: endpoint.name for endpoint in ENDPOINTS}


class Door:
    """An ASGI middleware that lets requests through as a fault plan says."""

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        name = _NAMES.get(scope.get("path", "")) if scope["type"] == "http" else None
        if name is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        self._plan.meter.note()
        faults = self._plan.faults
        if name in faults.disabled:
            refusal = problem_response(404, f"{name} is not enabled for this organisation")
            await refusal(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        exchange = Exchange(self._app, scope, _again(body, receive), send)
        cell = _cell(scope["path"], body)
        fault = self._plan.next_fault(cell) if cell else None
        if fault is None:
            await self._app(scope, exchange.receive, send)
        else:
            await misbehave(fault, exchange, faults)


async def _read(receive: Receive) -> bytes | None:
    """Return the whole request body; None when the caller has gone."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that has been read once more, and whatever comes after it."""
    unread = [body]

    async def replay() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return replay


def _cell(path: str, body: bytes) -> Cell | None:
    """Say what is asked for; None for a request that the application will refuse anyway."""
    try:
        request = simplejson.loads(body)
        store = request.get("storeId") or request["locRef"]
        cell = Cell(path, store.strip(), request["busDt"].strip())
        "".join(cell).encode()  # half a surrogate pair is no store
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None
    return cell
