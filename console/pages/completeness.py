"""Completeness: is everything there, store by store and business date by business date."""

from fastapi import Response

from console.web.page import Section, Visit

SECTION = Section("/", "Completeness")


@SECTION.router.get(SECTION.path)
async def show(page: Visit) -> Response:
    """Show what each store-day stands at."""
    return page.render("completeness.html", days=await page.rows("count_days"))
