"""One cause: its dead letters, and the bad records beside the document, for operators."""

from functools import partial
from typing import Annotated, Any

from fastapi import HTTPException, Path, Query, Response

from console.data.database import Row
from console.data.documents import read_excerpt
from console.data.servers import Source
from console.web.operators import Operator, TheDesk
from console.web.page import Section, Visit
from console.web.parameters import Day, Text
from schemas.envelopes import ObjectEvent

SECTION = Section("/dead-letters")
CANARIES = (1, 3, 10)
_ROWS = 50

Cause = Annotated[str, Path(pattern="^[0-9a-f]{12}$")]


@SECTION.router.get("/dead-letters/{cause}")
async def show(
    page: Visit,
    cause: Cause,
    *,
    store: Text = None,
    day: Day = None,
    part: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Show what failed for this cause, the newest first, and what can be done about it."""
    found = await page.rows("read_cause", cause=cause)
    if found == []:
        raise HTTPException(404, "Nothing ever failed for this cause.")
    chosen = {"cause": cause, "store": store, "day": day}
    present = await page.rows("list_causes", **chosen)
    offset = (part - 1) * _ROWS
    letters = await page.rows("list_dead_letters", **chosen, offset=offset, limit=_ROWS + 1)
    return page.render(
        "cause.html",
        cause=found[0] if found else None,
        chosen=chosen,
        present=present[0] if present else None,
        stores=await page.rows("count_by_store", cause=cause, day=day) or [],
        days=await page.rows("count_by_day", cause=cause, store=store) or [],
        letters=(letters or [])[:_ROWS],
        has_more=len(letters or []) > _ROWS,
        part=part,
        canaries=CANARIES,
    )


@SECTION.router.get("/dead-letters/{cause}/{number}")
async def show_document(
    page: Visit,
    operator: Operator,
    desk: TheDesk,
    cause: Cause,
    number: Annotated[int, Path(ge=1, lt=2**63)],
) -> Response:
    """Show one document with what is wrong in it. It may hold personal data: this is written down.

    Nothing is read from the lake before that is committed.
    """
    rows = await page.rows("read_dead_letter", dead_letter_id=number)
    letter = rows[0] if rows else None
    if rows == [] or (letter and letter["cause"] != cause):
        raise HTTPException(404, "There is no such dead letter.")
    excerpt = None
    if letter:
        key = letter["object_key"] or letter["error_log_key"]
        about = {"cause": cause, "dead_letter_id": number}
        view = partial(_viewed, desk, operator.name, key, about)
        if await page.ask(Source.DATABASE, view):
            read = partial(read_excerpt, page.servers.lake, _event(letter), letter["error_log_key"])
            excerpt = await page.ask(Source.LAKE, read)
    return page.render("document.html", letter=letter, excerpt=excerpt, cause=cause)


async def _viewed(desk: TheDesk, actor: str, key: str, about: dict[str, Any]) -> bool:
    await desk.audit.view(actor, key, about)
    return True


def _event(letter: Row) -> ObjectEvent | None:
    """Return what names the object's version; None of a message that announces none."""
    if not letter["bucket"]:
        return None
    return ObjectEvent(
        bucket=letter["bucket"],
        key=letter["object_key"],
        event_name="ObjectCreated:Shown",
        version_id=letter["version_id"],
        etag=letter["etag"],
        # Of unknown size: read with the SDK, which looks at the length first.
        size_bytes=2**62,
    )
