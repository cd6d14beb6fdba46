"""Live: how the consumers are doing, now."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Request, Response

from console.data.database import Row
from console.data.servers import Servers, Source
from console.web.page import Page, Section, Visit
from console.web.shared import Shared
from console.web.streams import event_stream
from console.web.templates import TEMPLATES
from consumer.errors import ConsumerError

SECTION = Section("/live", "Live")
_EVERY_SECONDS = 2.0
_MINUTES = 30
_HEIGHT, _WIDTH = 120, 20  # of the drawing's bars


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute of the drawing; `told` says it in words."""

    x: int
    height: float
    failed_height: float
    told: str


@SECTION.router.get(SECTION.path)
async def show(page: Visit) -> Response:
    """Show the board; it renews itself where there is JavaScript."""
    return page.render("live.html", **await _board(page.servers, page))


@SECTION.router.get("/live/stream")
async def stream(request: Request) -> Response:
    """Send the board whenever it is new."""
    servers: Servers = request.app.state.servers
    shared = _shared(request, servers)
    return event_stream(shared.pieces(), servers.stopping, 0)


def _shared(request: Request, servers: Servers) -> Shared:
    """Return the one refresher of this process."""
    state = request.app.state
    if not hasattr(state, "live"):

        async def ask() -> str:
            return TEMPLATES.get_template("board.html").render(**await _board(servers))

        state.live = Shared(ask, _EVERY_SECONDS)
    found: Shared = state.live
    return found


async def _board(servers: Servers, page: Page | None = None) -> dict[str, Any]:
    """Ask everybody once. Who does not answer is named by a page, and left out of a piece."""
    unanswered: dict[Source, str] = {} if page is None else page.unanswered

    async def rows(name: str) -> list[Row]:
        if Source.DATABASE in unanswered:
            return []
        try:
            return await servers.database.rows(name)
        except ConsumerError as error:
            unanswered[Source.DATABASE] = str(error)
            return []

    main = dead = None
    try:
        main = await servers.queues.main.depth()
        dead = await servers.queues.dead.depth()
    except ConsumerError as error:
        unanswered[Source.QUEUES] = str(error)
    ends = await rows("count_ends")
    consumers = await rows("list_consumers")
    oldest = await rows("oldest_dead_letter")
    return {
        "main": main,
        "dead": dead,
        "oldest": oldest[0]["failed_at"] if oldest else None,
        "ends": ends,
        "bars": bars(ends),
        "most": max((one["objects"] for one in ends), default=0),
        "lag": _lag(ends),
        "consumers": consumers,
        "oldest_sent_at": _oldest(consumers),
        "told_at": datetime.now(UTC),
        "silent": [str(source) for source in unanswered],
    }


def bars(ends: list[Row]) -> list[Bar]:
    """Return the drawing of the last half hour, the oldest minute first. Pure."""
    most = max((one["objects"] for one in ends), default=0) or 1
    return [
        Bar(
            (_MINUTES - 1 - one["minutes_ago"]) * _WIDTH,
            _HEIGHT * one["objects"] / most,
            _HEIGHT * one["failed"] / most,
            f"{one['minutes_ago']} min ago: {one['objects']:,}, {one['failed']:,} dead-lettered",
        )
        for one in ends
    ]


def _oldest(consumers: list[Row]) -> datetime | None:
    """Return when the oldest message in hand was first sent; messages come about in order."""
    sent = [one["oldest_sent_at"] for one in consumers if one["state"] in ("working", "suspended")]
    return min(filter(None, sent), default=None)


def _lag(ends: list[Row]) -> tuple[timedelta, timedelta] | None:
    """Return the lag of the newest minute that has one: of half, and of most."""
    known = [one for one in ends if one["lag_half"] is not None]
    return (known[0]["lag_half"], known[0]["lag_most"]) if known else None
