"""The lake and the load, as the handler of one object knows them."""

from typing import Any

from consumer.aws.s3 import Larger, ReadLimits, StoredObject, held_bytes
from consumer.load.document import LoadRequest, StagedDocument
from schemas.codes import State
from schemas.envelopes import ObjectEvent
from tests.support.consumer_fakes import NOON, FakeLogs


class FakeLake(FakeLogs):
    """A lake: bytes by key, or what reading them raises."""

    def __init__(self, **objects: Any) -> None:
        super().__init__()
        self.objects: dict[str, Any] = objects
        self.fetched: list[str] = []
        self.budgeted_bytes: list[int] = []

    async def fetch(self, event: ObjectEvent, limits: ReadLimits) -> StoredObject:
        """Read one; it must not be larger than allowed."""
        self.fetched.append(event.key)
        self.budgeted_bytes.append(limits.budgeted_bytes)
        assert limits.memory_bytes <= limits.max_bytes
        found = self.objects[event.key]
        if isinstance(found, Exception):
            raise found
        held = held_bytes(len(found), limits.memory_bytes, packed=event.key.endswith(".gz"))
        if held > limits.budgeted_bytes:
            raise Larger(held)
        return StoredObject(found, "etag", event.version_id, NOON)


class FakeLoad:
    """Says that documents are loaded, or raises the next of `failures` (None: does not)."""

    def __init__(self, *failures: Exception | None) -> None:
        self.requests: list[LoadRequest] = []
        self.failures = list(failures)

    @property
    def documents(self) -> list[StagedDocument]:
        """The documents that it took."""
        return [request.document for request in self.requests]

    async def load(self, request: LoadRequest) -> State:
        """Take one."""
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        self.requests.append(request)
        return State.LOADED
