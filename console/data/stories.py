"""The story of a store-day, told from the lake: one at a time, and only of days that fit."""

import asyncio
from datetime import date

from console.settings import ConsoleSettings
from consumer.operate.history.chapters import Chapter
from consumer.operate.history.story import Subject, tell


class Stories:
    """Loads a day's documents again, into tables of a session of its own."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        self._turn = asyncio.Semaphore(1)  # a day's documents are held in memory

    async def tell(self, store: str, day: date) -> list[Chapter]:
        """Return what each document said, the one that was received first at the start.

        Raises:
            ConsumerError: a server does not answer.
        """
        async with self._turn:
            return await tell(self._settings.reading, Subject(store, day))
