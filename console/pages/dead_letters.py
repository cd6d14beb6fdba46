"""Dead letters: what failed, by cause; and who did what about it."""

from fastapi import Response

from console.data.servers import Source
from console.web.page import Section, Visit
from console.web.parameters import Day, Text

SECTION = Section("/dead-letters", "Dead letters")
_ACTIONS = 20


@SECTION.router.get(SECTION.path)
async def show(page: Visit, *, store: Text = None, day: Day = None) -> Response:
    """Show the causes of what is on the dead-letter queue, and the audit trail."""
    causes = await page.rows("list_causes", cause=None, store=store, day=day)
    stores = await page.rows("count_by_store", cause=None, day=day)
    days = await page.rows("count_by_day", cause=None, store=store)
    actions = await page.rows("list_actions", limit=_ACTIONS, with_views=page.is_operator)
    depth = await page.ask(Source.QUEUES, page.servers.queues.dead.depth)
    known = causes[0]["known"] if causes else 0
    return page.render(
        "dead_letters.html",
        causes=causes,
        stores=stores or [],
        days=days or [],
        store=store,
        day=day,
        actions=actions,
        depth=depth,
        known=known,
    )
