"""Announcing objects in place of the bucket's notification, with events like S3's own."""

import math
from collections.abc import Awaitable, Callable, Sequence

from producer.errors import QueueError
from producer.lake import Lake, LakeEntry, LakeObject
from producer.rate_limit import RateLimit
from schemas.envelopes import ObjectEvent, created_body

# Sends up to ten messages; returns an error or None for each. May be repeated.
Send = Callable[[Sequence[str]], Awaitable[list[QueueError | None]]]


class Announcer:
    """Sends events about objects in a bucket, so many per second at most.

    Forced ones have objects loaded again that were loaded before.
    """

    def __init__(
        self, send: Send, bucket: str, per_second: float = math.inf, *, force: bool = False
    ) -> None:
        self._send = send
        self._bucket = bucket
        self._force = force
        self._rate_limit = RateLimit(per_second)

    async def announce(self, entries: Sequence[LakeEntry]) -> list[QueueError | None]:
        """Announce up to ten objects as S3 would have; return an error or None for each."""
        await self._rate_limit.turn(len(entries))
        return await self._send([self._body(entry) for entry in entries])

    def _body(self, entry: LakeEntry) -> str:
        return created_body(
            ObjectEvent(
                bucket=self._bucket,
                key=entry.key,
                event_name="ObjectCreated:Put",
                version_id=entry.version_id,
                etag=entry.etag,
                size_bytes=entry.size_bytes,
                event_time=entry.last_modified,
                is_forced=self._force,
            )
        )


class AnnouncingLake:
    """A lake that announces every object after writing it."""

    def __init__(self, lake: Lake, announcer: Announcer) -> None:
        self._lake = lake
        self._announcer = announcer
        self.entries = lake.entries
        self.metadata = lake.metadata

    async def put(self, obj: LakeObject) -> LakeEntry:
        """Write one object, then announce it; a QueueError says how to announce it later."""
        entry = await self._lake.put(obj)
        [failure] = await self._announcer.announce([entry])
        if failure is not None:
            raise type(failure)(
                f"stored but not announced: {failure}; once that is fixed, run "
                f"producer publish --prefix '{obj.key}'"
            ) from failure
        return entry
