"""A server that did not answer: who comes next waits a moment for it, not as long as the first."""

import asyncio
from collections.abc import Awaitable, Callable

from consumer.errors import ConsumerError

_WAIT_SECONDS = 0.2  # a server that is up again answers by then


class Outage:
    """Remembers the failure, and asks again for whoever comes: once at a time.

    All state belongs to one event loop.
    """

    def __init__(self, ask: Callable[[], Awaitable[object]]) -> None:
        """`ask` raises ConsumerError while the server does not answer."""
        self._ask = ask
        self._failure: ConsumerError | None = None
        self._asking: asyncio.Task[None] | None = None

    def begin(self, failure: ConsumerError) -> None:
        """Remember that the server did not answer."""
        self._failure = failure

    async def check(self, seconds: float = _WAIT_SECONDS) -> None:
        """Return if nothing is known to be wrong by now; takes so long at most.

        Raises:
            ConsumerError: what the server answered last, while it does not answer anew.
        """
        if self._failure is None:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_again(), name="ask a server again")
        await asyncio.wait({self._asking}, timeout=seconds)
        # Another visitor's question may have been answered meanwhile.
        if self._failure is not None:
            raise self._failure

    async def _ask_again(self) -> None:
        try:
            await self._ask()
        except ConsumerError as error:
            self._failure = error
        else:
            self._failure = None

    async def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})
