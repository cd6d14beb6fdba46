"""Revenue: a day against what is usual on its weekday, and whether the day is whole."""

from datetime import date, timedelta
from decimal import Decimal

from fastapi import Response

from console.data.database import Row
from console.drawing import revenue as drawing
from console.drawing.revenue import Line
from console.web.page import Page, Section, Visit
from console.web.parameters import Day, Part, Text, Word

SECTION = Section("/revenue", "Revenue")

_MOST_CHECKS = 100
_MOST_STORES = 100


@SECTION.router.get(SECTION.path)
async def show(
    page: Visit, *, day: Day = None, order: Word = None, store: Text = None, part: Part = 1
) -> Response:
    """Show a day of all stores; of one of them, which checks differ from their lines."""
    chosen = day or await _newest(page)
    if chosen is None:
        return page.render("revenue.html", board=None)
    span = {"first": chosen - timedelta(days=drawing.DAYS - 1), "last": chosen}
    ends = page.servers.settings.console_day_ends_hours
    rows = await page.rows("revenue", **span)
    incomplete = await page.rows("incomplete_days", **span, ends=ends)
    if rows is None or incomplete is None:
        return page.render("revenue.html", board=None)
    board = drawing.revenue(chosen, rows, incomplete)
    if order != "store":
        board.lines.sort(key=_by_change)
    parts = max(1, -(-len(board.lines) // _MOST_STORES))
    part = min(part, parts)
    return page.render(
        "revenue.html",
        board=board,
        lines=board.lines[(part - 1) * _MOST_STORES : part * _MOST_STORES],
        part=part,
        parts=parts,
        draw=drawing,
        day=chosen,
        order="store" if order == "store" else "change",
        store=store,
        checks=await _reconciled(page, store, chosen),
        most=_MOST_CHECKS,
    )


async def _newest(page: Page) -> date | None:
    yesterday = page.as_of.date() - timedelta(days=1)
    newest = await page.rows("newest_day", today=yesterday)
    return newest[0]["bus_dt"] if newest else None


def _by_change(line: Line) -> tuple[bool, Decimal]:
    """Put what is furthest below what is usual first, and what cannot be compared last."""
    return line.change is None, line.change or Decimal()


async def _reconciled(page: Page, store: str | None, day: date) -> list[Row] | None:
    if store is None:
        return None
    return await page.rows("reconciliation", store=store, day=day, most=_MOST_CHECKS)
