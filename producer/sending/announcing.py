"""Announcing objects that S3 itself does not announce: events like S3's own, sent by us."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from producer.errors import QueueError
from producer.lake import Lake, LakeEntry, LakeObject, Page
from schemas.envelopes import ObjectEvent, created_body

#: How many messages one call to SQS takes.
BATCH_SIZE = 10


class Queue(Protocol):
    """The queue that the consumer reads, as far as announcing knows it."""

    async def send(self, bodies: Sequence[str]) -> list[QueueError | None]:
        """Send up to ten messages; return for each why it was not sent, None when it was.

        Repeating it sends them again, which changes nothing in the tables.
        """
        ...


def event_body(entry: LakeEntry, bucket: str) -> str:
    """Write the message that S3 would have sent when the object was created."""
    return created_body(
        ObjectEvent(
            bucket=bucket,
            key=entry.key,
            event_name="ObjectCreated:Put",
            version_id=entry.version_id,
            etag=entry.etag,
            size_bytes=entry.size_bytes,
            event_time=entry.last_modified,
        )
    )


class AnnouncingLake:
    """A lake that announces every object it has written, once the write is durable."""

    def __init__(self, lake: Lake, queue: Queue, bucket: str) -> None:
        self._lake = lake
        self._queue = queue
        self._bucket = bucket

    async def put(self, obj: LakeObject) -> LakeEntry:
        """Write one object, then announce it.

        Raises:
            LakeError: It was not written, or not provably; it was not announced.
            QueueError: It was written, but not announced; the message says how to do that.
        """
        entry = await self._lake.put(obj)
        [failure] = await self._queue.send([event_body(entry, self._bucket)])
        if failure is not None:
            raise type(failure)(
                f"stored but not announced: {failure}; when that is mended: "
                f"producer publish --prefix '{obj.key}'"
            ) from failure
        return entry

    async def list_page(self, prefix: str, after: str) -> Page:
        """Return a part of the lake's listing."""
        return await self._lake.list_page(prefix, after)

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        """Return an object's metadata; None when there is no such object."""
        return await self._lake.metadata(key)

    async def read(self, key: str) -> bytes | None:
        """Return an object's bytes; None when there is no such object."""
        return await self._lake.read(key)
