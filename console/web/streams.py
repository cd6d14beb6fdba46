"""Event streams: pieces of a page, sent when they change, until all is said or we are to stop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from fastapi.responses import StreamingResponse

from consumer.errors import ConsumerError

_SILENCE_SECONDS = 15.0  # proxies close what says nothing for a minute
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
#: HTML, and whether it is the last.
Piece = tuple[str, bool]
END = "event: end\ndata: \n\n"


def event(html: str) -> str:
    """Return a piece of a page as an event."""
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


def event_stream(
    pieces: AsyncGenerator[Piece, None], stopping: asyncio.Event, pause_seconds: float
) -> StreamingResponse:
    """Send each piece that differs from the one before, so often at most; after the last, `end`.

    Who does not answer is asked again: a page that is open overnight goes on in the morning.
    """

    async def events() -> AsyncIterator[str]:
        last, quiet = "", 0.0
        try:
            # Closed here: who watches something must be known to have left.
            async with aclosing(pieces):
                async for piece, is_last in pieces:
                    if piece != last:
                        last, quiet = piece, 0.0
                        yield event(piece)
                    elif (quiet := quiet + pause_seconds) >= _SILENCE_SECONDS:
                        quiet = 0.0
                        yield ": still here\n\n"
                    if is_last:
                        yield END
                        return
                    if await _stopped(stopping, pause_seconds):
                        return
        except ConsumerError:
            return  # the browser connects again

    return StreamingResponse(events(), media_type="text/event-stream", headers=_HEADERS)


async def _stopped(stopping: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await stopping.wait()
    except TimeoutError:
        return False
