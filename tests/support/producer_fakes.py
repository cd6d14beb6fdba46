"""An ERP that answers as told, and a lake in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from producer.errors import LakeError
from producer.lake import LakeEntry, LakeObject
from producer.lease_table import LEASE_TABLE_KEY, Tagged

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]

MODIFIED = datetime(2024, 3, 5, tzinfo=UTC)


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


class FakeLeaseTable:
    """Keeps the lease table, or another object, with its tag, like S3's conditional writes.

    `now` is the lake's time. `meanwhile` runs between a look and the write that follows it, once.
    """

    def __init__(self, key: str = LEASE_TABLE_KEY) -> None:
        self.key = key
        self.body: bytes | None = None
        self.tag: str | None = None
        self.now = MODIFIED
        self.error: LakeError | None = None
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def read_tagged(self, key: str) -> Tagged:
        """Give what is there."""
        assert key == self.key
        if self.error is not None:
            raise self.error
        seen = Tagged(self.body, self.tag, self.now)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return seen

    async def write_if(self, key: str, body: bytes, tag: str | None) -> bool:
        """Take what is written, unless it comes second."""
        assert key == self.key
        if tag != self.tag:
            return False
        self.body, self.tag = body, f"after {self.tag}"
        return True


class FakeLake:
    """Keeps objects in a dict; refuses with `error` when it is set.

    `listed` keeps the keys after which listings were asked for.
    """

    def __init__(self) -> None:
        self.objects: dict[str, LakeObject] = {}
        self.error: LakeError | None = None
        self.listed: list[str] = []
        self.looked_at: list[str] = []

    async def put(self, obj: LakeObject) -> LakeEntry:
        """Keep the object, or refuse it."""
        if self.error is not None:
            raise self.error
        self.objects[obj.key] = obj
        return self.entry(obj.key)

    async def entries(self, prefix: str, after: str = "") -> AsyncIterator[LakeEntry]:
        """Give entries in the order of keys."""
        self.listed.append(after)
        for key in sorted(key for key in self.objects if key.startswith(prefix) and key > after):
            yield self.entry(key)

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        """Give the metadata of an object."""
        self.looked_at.append(key)
        return self.objects[key].ascii_metadata() if key in self.objects else None

    def entry(self, key: str) -> LakeEntry:
        """Give an object as a listing would."""
        return LakeEntry(key, len(self.objects[key].body), "e", MODIFIED)
