"""Plan and action: the exact messages, confirmed once; then what became of each."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Path, Query, Response
from fastapi.responses import RedirectResponse

from console.actions.audit import PlanStale
from console.actions.plans import MOST_MESSAGES, Choice, Kind, Plan, make_plan, reopen_plan
from console.data.database import Row
from console.data.servers import Servers, Source
from console.web.forms import Form
from console.web.operators import Operator, TheDesk
from console.web.page import Page, Section, Visit
from console.web.parameters import Day, Text
from console.web.streams import Piece, event_stream
from console.web.templates import TEMPLATES

SECTION = Section("/actions")
_REASON_CHARACTERS = 500
_PAUSE_SECONDS = 1.0

Number = Annotated[int, Path(ge=1, lt=2**31)]


def _choice(
    cause: Annotated[str, Query(pattern="^[0-9a-f]{12}$")],
    store: Text = None,
    day: Day = None,
    canary: Annotated[int | None, Query(ge=1, le=100)] = None,
) -> Choice:
    return Choice(cause, store, str(day) if day else None, canary)


@SECTION.router.get("/plan")
async def plan(
    page: Visit,
    operator: Operator,
    desk: TheDesk,
    kind: Kind,
    choice: Annotated[Choice, Depends(_choice)],
) -> Response:
    """Show what would be done, message by message, and ask."""
    work = partial(make_plan, page.servers.database, kind, operator.name, choice)
    found = await page.ask(Source.DATABASE, work)
    causes = await page.rows("read_cause", cause=choice.cause)
    if causes == []:
        raise HTTPException(404, "Nothing ever failed for this cause.")
    sealed = found.seal(desk.seal) if found else ""
    return _ask(page, found, sealed, causes[0] if causes else None)


def _ask(
    page: Page, found: Plan | None, sealed: str, cause: Row | None, wrong: str = ""
) -> Response:
    return page.render(
        "plan.html",
        400 if wrong else 200,
        plan=found,
        sealed=sealed,
        cause=cause,
        wrong=wrong,
        most=MOST_MESSAGES,
    )


@SECTION.router.post("/actions")
async def begin(page: Visit, operator: Operator, desk: TheDesk, form: Form) -> Response:
    """Write a confirmed plan down and carry it out; 409 if it is not what was seen any more."""
    sealed = form.get("plan", "")
    work = partial(reopen_plan, page.servers.database, desk.seal, sealed, operator.name)
    opened = await page.ask(Source.DATABASE, partial(_opened, work))
    if opened is None:
        return page.render("stale.html", 503, action_id=None)
    [found] = opened
    if found is None:
        return page.render("stale.html", 409, action_id=None)
    if found.kind == "purge" and form.get("count", "").strip() != str(len(found.ids)):
        causes = await page.rows("read_cause", cause=found.choice.cause)
        told = f"Type {len(found.ids)} to delete {len(found.ids)} messages."
        return _ask(page, found, sealed, causes[0] if causes else None, told)
    reason = form.get("reason", "").strip()[:_REASON_CHARACTERS] or None
    try:
        number = await page.ask(Source.DATABASE, partial(desk.audit.begin, found, sealed, reason))
    except PlanStale as error:
        return page.render("stale.html", 409, action_id=error.action_id)
    if number is None:
        return page.render("stale.html", 503, action_id=None)
    desk.carrier.wake()
    return RedirectResponse(f"/actions/{number}", 303, {"Cache-Control": "no-store"})


async def _opened(work: Any) -> list[Plan | None]:
    """Tell a plan that is stale from a database that does not answer."""
    return [await work()]


@SECTION.router.get("/actions/{number}")
async def show(page: Visit, number: Number) -> Response:
    """Show an action: who, what, why, and what became of each message."""
    rows = await page.rows("read_action", action_id=number)
    if rows == []:
        raise HTTPException(404, "There is no such action.")
    action = rows[0] if rows else None
    items = await page.rows("list_items", action_id=number, is_drained=False)
    if is_waiting(items or []) and await page.ask(
        Source.QUEUES, partial(_is_drained, page.servers)
    ):
        items = await page.rows("list_items", action_id=number, is_drained=True)
    return page.render(
        "action.html",
        action=action,
        items=items or [],
        is_open=action is not None and is_open(action, items or []),
    )


def is_open(action: Row, items: list[Row]) -> bool:
    """Say whether something is still to come: it runs, or a replayed object has not ended yet."""
    return action["state"] == "running" or is_waiting(items)


def is_waiting(items: list[Row]) -> bool:
    """Say whether a replayed object has not ended yet."""
    return bool(items and items[0]["waiting"])


async def _is_drained(servers: Servers) -> bool:
    """Say whether the main queue is empty: who did not end then keeps the end that it had."""
    return not (await servers.queues.main.depth()).total


@SECTION.router.get("/actions/{number}/stream")
async def stream(page: Visit, number: Number) -> Response:
    """Send the messages' states whenever they change, until all have ended."""

    async def states() -> AsyncGenerator[Piece, None]:
        database, template = page.servers.database, TEMPLATES.get_template("action_items.html")
        while rows := await database.rows("read_action", action_id=number):
            asked = {"action_id": number, "is_drained": False}
            items = await database.rows("list_items", **asked)
            if is_waiting(items) and await _is_drained(page.servers):
                items = await database.rows("list_items", **asked | {"is_drained": True})
            is_live = is_open(rows[0], items)
            yield template.render(action=rows[0], items=items, is_open=is_live), not is_live

    return event_stream(states(), page.servers.stopping, _PAUSE_SECONDS)
