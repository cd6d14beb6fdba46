"""Drift: a rename is one row with both names and the line that mends it."""

import asyncio
import json
import time
from datetime import timedelta

from tests.support.console_days import DAY, Days
from tests.support.console_pages import Pages, Shown, pages_of

LEVEL = "guestChecks"


def count(days: Days, back: int, **fields: int) -> int:
    """Write a day of forty checks, and how many of them filled which fields."""
    return days.day(
        "001",
        DAY - timedelta(days=back),
        record_counts=json.dumps({"": 1, LEVEL: 40}),
        field_counts=json.dumps({f"{LEVEL}.{name}": number for name, number in fields.items()}),
    )


async def test_a_rename_is_one_row_with_the_line_to_copy(days: Days, pages: Pages) -> None:
    for back in range(40, 0, -1):
        field = "empNum" if back > 20 else "employeeNum"
        number = count(days, back, **{field: 40})
        days.execute(
            "UPDATE store_days SET counted_object_id = object_id WHERE object_id = %s", number
        )
    days.execute(
        "WITH f AS (INSERT INTO drift_findings (source, path, kind, detail)"
        " VALUES ('getGuestChecks', 'guestChecks.employeeNum', 'unknown', 'number')"
        " RETURNING finding_id) INSERT INTO object_findings"
        " SELECT object_id, finding_id, event_time, 40 FROM f, ingested_objects WHERE bus_dt > %s",
        DAY - timedelta(days=21),
    )
    shown = await pages.get("/drift")
    assert '"guestChecks.empNum" = ["employeeNum"]' in shown.text
    assert shown.html.count("suspected rename") == 1
    assert "missing" not in shown.html
    assert "guestChecks.empNum: 100% to 0% filled" in shown.html
    assert "guestChecks.employeeNum: 0% to 100% filled" in shown.html


async def test_nothing_changed(days: Days, pages: Pages) -> None:
    count(days, 1, empNum=40)
    assert "Nothing changed upstream" in (await pages.get("/drift")).html


async def test_what_takes_long_is_read_in_the_background(days: Days, pages: Pages) -> None:
    """The first page comes at once; who looks on sees the outcome, with scripts or without."""
    with days.locked("store_days"):
        began = time.monotonic()
        shown = await pages.get("/drift?unknown=1")
        assert time.monotonic() - began < 1
        assert "It is being worked out" in shown.html
        assert 'hx-get="/drift?unknown=1"' in shown.html
        assert '<noscript><meta http-equiv="refresh"' in shown.html
    shown = await until_read(pages)
    assert "Nothing changed upstream" in shown.html
    assert "http-equiv" not in shown.html


async def test_a_database_that_is_down_is_named_and_asked_again(days: Days) -> None:
    async with pages_of({**days.variables, "DB_PORT": "1"}) as pages:
        await pages.get("/drift")
        shown = await until_read(pages)
    assert "PostgreSQL did not answer." in shown.html
    assert "Nothing changed" not in shown.html


async def until_read(pages: Pages) -> Shown:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        shown = await pages.get("/drift")
        if "It is being worked out" not in shown.html:
            return shown
        await asyncio.sleep(0.05)
    raise AssertionError("it is never read")
