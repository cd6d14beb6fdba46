"""An ERP that answers as told, and a lake in memory."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from producer.errors import LakeError
from producer.lake import LakeObject

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakeErp:
    """A real HTTP server; `respond` decides each answer, `asked` keeps each request."""

    url: str = ""
    asked: list[tuple[str, Any, dict[str, str]]] = field(default_factory=list)
    respond: Respond | None = None

    def answer_with(self, *responses: Callable[[], web.StreamResponse]) -> None:
        """Give these answers in turn, the last one for ever."""
        left = list(responses)

        async def respond(_request: web.Request) -> web.StreamResponse:
            return left.pop(0)() if len(left) > 1 else left[0]()

        self.respond = respond


class FakeLake:
    """Keeps objects in a dict; refuses with `error` when it is set."""

    def __init__(self) -> None:
        self.objects: dict[str, LakeObject] = {}
        self.error: LakeError | None = None

    async def put(self, obj: LakeObject) -> None:
        """Keep the object, or refuse it."""
        if self.error is not None:
            raise self.error
        self.objects[obj.key] = obj
