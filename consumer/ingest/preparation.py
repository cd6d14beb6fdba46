"""Prepares objects in threads; asks before which checks of a document need not be read."""

import asyncio
from dataclasses import KW_ONLY, dataclass

from consumer.ingest.assembly import Prepared
from consumer.ingest.prepare import Fetched, Opened, open_unread, prepare
from consumer.load.standing import FindStanding
from consumer.metrics import STAGE_SECONDS
from consumer.spool import Spool
from schemas.aliases import Aliases
from schemas.file_kinds import GZIP_MAGIC

_TINY_BYTES = 2 * 1024
LEAST_BYTES = 16 * 1024  # of a smaller document everything is read before the answer is there


def _is_tiny(data: bytes | Spool) -> bool:
    """Say whether a document is prepared sooner than a thread takes it; gzip may hold anything."""
    if isinstance(data, Spool) or data.startswith(GZIP_MAGIC):
        return False
    return len(data) <= _TINY_BYTES


@dataclass
class Preparation:
    """How objects are prepared: with which renames, how many at once, up to which size.

    Without `find_standing`, all documents are read in full.
    """

    aliases: Aliases
    max_bytes: int
    threads: int
    find_standing: FindStanding | None = None
    _: KW_ONLY
    least_bytes: int = LEAST_BYTES

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.threads)
        # A huge document takes its time; small ones pass it by.
        self._stream_slots = asyncio.Semaphore(1)

    async def prepare(self, fetched: Fetched, *, in_full: bool = False) -> Prepared:
        """Prepare an object; `in_full` when what stood was changed meanwhile.

        Raises:
            Permanent: the document as a whole is refused.
            ConsumerError: the database could not be asked.
        """
        opened, standing = None, None
        if not in_full and (opened := await self._open(fetched)) and self.find_standing:
            # No thread waits for the answer.
            standing = await self.find_standing(fetched.identity, opened.frame, opened.cut)
        slots = self._stream_slots if isinstance(fetched.data, Spool) else self._slots
        async with slots:
            with STAGE_SECONDS.labels("prepare").time():
                how = self.aliases, self.max_bytes, opened, standing
                if _is_tiny(fetched.data):
                    return prepare(fetched, *how)
                return await asyncio.to_thread(prepare, fetched, *how)

    async def _open(self, fetched: Fetched) -> Opened | None:
        is_small = isinstance(fetched.data, Spool) or len(fetched.data) < self.least_bytes
        if self.find_standing is None or is_small:
            return None
        async with self._slots:
            return await asyncio.to_thread(open_unread, fetched, self.aliases, self.max_bytes)
