"""Store-day: every object about it, how each ended, and what its documents said in turn."""

import shlex
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from fastapi import HTTPException, Response

from console.data.database import Row
from console.data.servers import Source
from console.drawing import stories
from console.drawing.calendar import pull_line
from console.web.page import Page, Section, Visit
from console.web.parameters import Day, Text, Word
from schemas.registry import ENDPOINTS_BY_NAME
from schemas.registry import Source as Kind

SECTION = Section("/day")

_MOST_OBJECTS = 150
_ORDER = {name: place for place, name in enumerate(ENDPOINTS_BY_NAME)}
_OF_CHECKS = {kind.value for kind in Kind if kind.holds_checks}


@SECTION.router.get("/day/{day}/{store:path}")
async def show(page: Visit, day: Day, store: Text, story: Word = None) -> Response:
    """Show a store-day at its short address."""
    return await _shown(page, store, day, is_told=story is not None)


@SECTION.router.get("/day")
async def show_asked(
    page: Visit, store: Text = None, day: Day = None, story: Word = None
) -> Response:
    """Show a store-day that has no short address."""
    return await _shown(page, store, day, is_told=story is not None)


async def _shown(page: Page, store: str | None, day: date | None, *, is_told: bool) -> Response:
    if store is None or day is None:
        raise HTTPException(400, "Name a store and a business date: /day?store=001&day=2024-06-01")
    place = {"store": store, "day": day}
    sources = await page.rows("store_day_sources", **place)
    expected = await page.rows("expected_sources", **place)
    objects = await page.rows("store_day_objects", **place, most=_MOST_OBJECTS)
    return page.render(
        "store_day.html",
        store=store,
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        sources=_by_endpoint(sources or [], expected or []),
        is_known=sources is not None and objects is not None,
        objects=_by_source(objects or []),
        most=_MOST_OBJECTS,
        is_cut=len(objects or []) >= _MOST_OBJECTS,
        pull=pull_line([store], day, day, None),
        **await _story(page, store, day, objects or [], is_told=is_told),
    )


def _by_endpoint(rows: list[Row], expected: list[Row]) -> list[tuple[str, Row | None, bool]]:
    """Return each endpoint with what is known of it, and whether it is expected; exports last."""
    known, awaited = {row["source"]: row for row in rows}, {row["source"] for row in expected}
    names = [*ENDPOINTS_BY_NAME, *(name for name in known if name not in ENDPOINTS_BY_NAME)]
    return [(name, known.get(name), name in awaited) for name in names]


def _by_source(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """Return object versions by their source, the endpoints first and in their order."""
    found = {source: list(those) for source, those in groupby(rows, lambda row: row["source"])}
    return sorted(found.items(), key=lambda one: (one[0] not in _ORDER, _ORDER.get(one[0], 0)))


async def _story(
    page: Page, store: str, day: date, objects: list[Row], *, is_told: bool
) -> dict[str, Any]:
    """Return what the template needs for the story: told, or why it is not, or how to have it."""
    limit = page.servers.settings.console_story_bytes
    size = sum(row["size_bytes"] or 0 for row in objects if row["source"] in _OF_CHECKS)
    command = shlex.join(["consumer", "history", f"--store={store}", "--day", day.isoformat()])
    told = None
    if is_told and objects and size <= limit:
        told = await page.ask(
            Source.LAKE,
            partial(page.servers.stories.tell, store, day),
            page.servers.settings.console_story_seconds,
        )
    return {
        "told": None if told is None else stories.story(told),
        "is_too_large": size > limit,
        "limit": limit,
        "command": command,
    }
