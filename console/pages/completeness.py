"""Completeness: is everything there, store by store and business date by business date."""

import asyncio
from datetime import date, timedelta
from functools import partial

from fastapi import Response

from console.data.database import Row
from console.data.servers import Source as Server
from console.drawing.calendar import STATES, calendar, commands
from console.web.page import Page, Section, Visit
from console.web.parameters import Day, Part, Word
from schemas.registry import ENDPOINTS_BY_NAME, Source

SECTION = Section("/", "Completeness")
SOURCES = (*ENDPOINTS_BY_NAME, Source.ERP.value)
SPANS = {str(days): days for days in (14, 31, 62)}


@SECTION.router.get(SECTION.path)
async def show(
    page: Visit,
    *,
    source: Word = None,
    last: Day = None,
    days: Word = None,
    state: Word = None,
    part: Part = 1,
) -> Response:
    """Show what each store-day of one source stands at; of the others, how many fail."""
    chosen = source if source and source in SOURCES else Source.GUEST_CHECKS.value
    span, today = SPANS.get(days or "", 31), page.as_of.date()
    newest = await page.rows("newest_day", today=today)
    if newest is None or newest[0]["bus_dt"] is None:
        return page.render("completeness.html", board=None)
    end = min(last, today) if last else _default_end(today, newest[0]["bus_dt"], span)
    shown = [end - timedelta(days=back) for back in reversed(range(span))]
    rows = await _rows(page, chosen, shown[0], end)
    if rows is None:
        return page.render("completeness.html", board=None)
    lines, more = commands(rows, chosen)
    return page.render(
        "completeness.html",
        board=calendar(rows, shown, state if state in STATES else None, part),
        source=chosen,
        sources=SOURCES,
        spans=[*SPANS.values()],
        states=STATES,
        newest=newest[0]["bus_dt"],
        pull_lines=lines,
        more_lines=more,
    )


def _default_end(today: date, newest: date, span: int) -> date:
    """Return the last day to show: today, unless nothing near it was ever loaded."""
    return today if today - newest < timedelta(days=span) else newest


async def _rows(page: Page, source: str, first: date, last: date) -> list[Row] | None:
    """Return a source's store-days and totals as they are now, and other totals of a moment ago."""
    settings, database = page.servers.settings, page.servers.database
    asked = {
        "first": first,
        "last": last,
        "now": page.as_of,
        "ends": settings.console_day_ends_hours,
        "due": settings.console_due_hours,
    }
    totals = partial(database.rows, "calendar", **asked, source=None, sources=list(SOURCES))
    own, beside = await asyncio.gather(
        page.rows("calendar", **asked, source=source, sources=[source]),
        page.ask(Server.DATABASE, partial(page.servers.totals.get, (first, last), totals)),
    )
    if own is None or beside is None:
        return None
    return [*own, *(row for row in beside if row["source"] != source)]
