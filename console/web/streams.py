"""Event streams: pieces of a page, sent when they change, until all is said or we are to stop."""

import asyncio
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from consumer.errors import ConsumerError

_SILENCE_SECONDS = 15.0  # proxies close what says nothing for a minute
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
END = "event: end\ndata: \n\n"


def event(html: str) -> str:
    """Return a piece of a page as an event."""
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


def event_stream(
    pieces: AsyncIterator[str], stopping: asyncio.Event, pause_seconds: float
) -> StreamingResponse:
    """Send each piece that differs from the last, so often at most; at their end, the event `end`.

    Who does not answer is asked again: a page that is open overnight goes on in the morning.
    """

    async def events() -> AsyncIterator[str]:
        last, quiet = "", 0.0
        source = aiter(pieces)
        while not stopping.is_set():
            try:
                piece = await anext(source)
            except StopAsyncIteration:
                yield END
                return
            except ConsumerError:
                return  # the browser connects again
            if piece != last:
                last, quiet = piece, 0.0
                yield event(piece)
            elif (quiet := quiet + pause_seconds) >= _SILENCE_SECONDS:
                quiet = 0.0
                yield ": still here\n\n"
            if await _stopped(stopping, pause_seconds):
                return

    return StreamingResponse(events(), media_type="text/event-stream", headers=_HEADERS)


async def _stopped(stopping: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await stopping.wait()
    except TimeoutError:
        return False
