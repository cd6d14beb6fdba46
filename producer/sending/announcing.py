"""Announcing objects in place of the bucket's notification, with events like S3's own."""

from collections.abc import Sequence
from typing import Protocol

from producer.errors import QueueError
from producer.lake import Lake, LakeEntry, LakeObject
from schemas.envelopes import ObjectEvent, created_body

#: How many messages one call to SQS takes.
BATCH_SIZE = 10


class Queue(Protocol):
    """The queue that the consumer reads, as announcing uses it."""

    async def send(self, bodies: Sequence[str]) -> list[QueueError | None]:
        """Send up to ten messages; return an error or None for each.

        Repeating it sends them again, which changes nothing in the tables.
        """
        ...


def event_body(entry: LakeEntry, bucket: str) -> str:
    """Return the message that S3 would have sent when the object was created."""
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
    """A lake that announces every object after writing it."""

    def __init__(self, lake: Lake, queue: Queue, bucket: str) -> None:
        self._lake = lake
        self._queue = queue
        self._bucket = bucket
        self.entries = lake.entries
        self.metadata = lake.metadata

    async def put(self, obj: LakeObject) -> LakeEntry:
        """Write one object, then announce it.

        Raises:
            LakeError: It was not written, as far as is known, and not announced.
            QueueError: It was written but not announced; the message says how to do that.
        """
        entry = await self._lake.put(obj)
        [failure] = await self._queue.send([event_body(entry, self._bucket)])
        if failure is not None:
            raise type(failure)(
                f"stored but not announced: {failure}; once that is fixed, run "
                f"producer publish --prefix '{obj.key}'"
            ) from failure
        return entry
