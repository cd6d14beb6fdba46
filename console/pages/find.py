"""Find: a key, a store, a business date or a check's id, as far as it is known."""

from typing import Any

from fastapi import Response

from console.data.database import Row
from console.drawing.search import Meaning, meaning
from console.web.page import Page, Section, Visit
from console.web.parameters import Text

SECTION = Section("/find", "Find")

_MOST = 50


@SECTION.router.get(SECTION.path)
async def show(page: Visit, q: Text = None) -> Response:
    """Show what there is of what was written."""
    if q is None:
        return page.render("find.html", asked=None, words="")
    asked = meaning(q)
    found: dict[str, Any] = {
        "stores": await page.rows("find_stores", words=q, today=page.as_of.date(), most=_MOST)
        or [],
        "checks": await _checks(page, asked),
        "days": await _days(page, asked),
        "objects": await _objects(page, asked),
    }
    return page.render("find.html", asked=asked, words=q, most=_MOST, **found)


async def _checks(page: Page, asked: Meaning) -> list[Row]:
    if asked.check_id is None:
        return []
    return await page.rows("find_checks", check_id=asked.check_id, most=_MOST) or []


async def _days(page: Page, asked: Meaning) -> list[Row]:
    if asked.day is None:
        return []
    return await page.rows("find_days", day=asked.day, most=4 * _MOST) or []


async def _objects(page: Page, asked: Meaning) -> list[Row]:
    """Return the versions of a key; of a beginning of one, of its day, or exports."""
    if asked.key is None:
        return []
    bucket = page.servers.settings.bucket_name
    exact = await page.rows("find_objects", bucket=bucket, key=asked.key, most=_MOST)
    if exact or exact is None:
        return exact or []
    if asked.key_day is None:
        return await page.rows("find_exports", bucket=bucket, key=asked.key, most=_MOST) or []
    part = {"day": asked.key_day, "store": asked.key_store, "key": asked.key, "most": _MOST}
    return await page.rows("find_objects_of_day", **part) or []
