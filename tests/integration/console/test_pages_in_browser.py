"""The pages for data people as a browser shows them: legible to all, on a phone, and silent.

With CONSOLE_SCREENSHOTS=docs/images their pictures for docs/console.md are taken on the way.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.conftest import Servers
from tests.support.browser.visiting import Visit, assert_accessible, assert_fits_a_phone
from tests.support.console_days import DAY, Days
from tests.support.console_month import fill_month
from tests.support.serving import served_console

HOSTILE = "<img src=x onerror=alert(1)>"
NOWHERE = {
    "BUCKET_NAME": "lake",
    "QUEUE_URL": "http://127.0.0.1:1/m",
    "DLQ_URL": "http://127.0.0.1:1/d",
}
PAGES = {
    "completeness": f"/?last={DAY}",
    "store-day": f"/day/{DAY}/001",
    "revenue": f"/revenue?day={DAY}",
    "drift": "/drift",
    "find": "/find?q=a",
}


@pytest.fixture(scope="module")
def month(shared_tables: dict[str, str]) -> Days:
    """Give a month of a small chain."""
    days = Days(shared_tables)
    days.forget()
    fill_month(days)
    return days


@pytest.fixture(scope="module")
def month_url(stack: Servers, shared_tables: dict[str, str], month: Days) -> Iterator[str]:
    """Serve a console on it."""
    where = {**stack.environment, **shared_tables, **NOWHERE}
    with served_console(where, console_operators="local") as url:
        yield url


async def test_totals_filter_and_a_cell_leads_to_its_day(month_url: str, page: Page) -> None:
    await page.goto(month_url + PAGES["completeness"])
    await page.get_by_role("link", name="dead-lettered 3").first.click()
    await expect(page.locator("tbody tr")).to_have_count(2)
    await page.get_by_title("9 of 60 failed").first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Lago Sul")
    await expect(page.get_by_text("9 of 60 records were set aside")).to_be_visible()


async def test_what_is_written_is_found_at_once(month_url: str, page: Page) -> None:
    """The page stays: only what was found is exchanged, and the address tells what was asked."""
    await page.goto(f"{month_url}/find")
    await page.evaluate("window.hasStayed = true")
    await page.get_by_role("searchbox").fill("joão")
    await expect(page.locator("#found")).to_contain_text("São João")
    await page.wait_for_url("**/find?q=jo%C3%A3o")
    assert await page.evaluate("window.hasStayed")


async def test_a_day_is_reconciled_without_leaving_the_page(month_url: str, page: Page) -> None:
    await page.goto(month_url + PAGES["revenue"])
    await page.evaluate("window.hasStayed = true")
    await page.get_by_role("link", name="Reconcile 001").click()
    await expect(page.locator("#reconciliation")).to_contain_text("Headers against lines: 001")
    assert await page.evaluate("window.hasStayed")


async def test_without_scripts_every_page_is_there(month_url: str, visit: Visit) -> None:
    page = await visit(java_script_enabled=False)
    await page.goto(f"{month_url}/find")
    await page.get_by_role("searchbox").fill("joão")
    await page.get_by_role("button", name="Find").click()
    await expect(page.locator("#found")).to_contain_text("São João")
    await page.goto(f"{month_url}{PAGES['revenue']}")
    await page.get_by_role("link", name="Reconcile 001").click()
    await expect(page.locator("#reconciliation")).to_contain_text("Headers against lines: 001")
    await page.goto(f"{month_url}{PAGES['store-day']}")
    await page.get_by_role("link", name="Read them").click()
    await expect(page.get_by_text("S3 did not answer.")).to_be_visible()


async def test_drift_that_takes_long_appears_by_itself(
    shared_tables: dict[str, str], stack: Servers, month: Days, visit: Visit
) -> None:
    """With scripts only the part is exchanged; without, the page comes again."""
    for has_scripts in (True, False):
        page = await visit(java_script_enabled=has_scripts)
        with served_console({**stack.environment, **shared_tables, **NOWHERE}) as url:
            with month.locked("store_days"):
                await page.goto(f"{url}/drift?unknown=1")
                await expect(page.get_by_text("It is being worked out")).to_be_visible()
            await expect(page.get_by_text("suspected rename")).to_be_visible()
            await expect(page.get_by_text("tillColour").first).to_be_visible()


async def test_every_page_is_legible_and_silent_whatever_a_store_is_called(
    month_url: str, month: Days, page: Page, visit: Visit
) -> None:
    await take_pictures(month_url, visit)
    month.day(HOSTILE, state="dead_lettered", quarantined=4, records=6)
    month.execute("UPDATE guest_checks SET store_id = %s WHERE store_id = '002'", HOSTILE)
    for address in PAGES.values():
        await page.goto(
            month_url + address.replace("/001", "/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
        )
        await assert_accessible(page)
        await assert_fits_a_phone(page)
        assert await page.locator("img[src=x]").count() == 0
        assert await page.locator("[style]").count() == 0


async def take_pictures(url: str, visit: Visit) -> None:
    """Take the pictures of docs/console.md, if they are asked for."""
    if not (where := os.environ.get("CONSOLE_SCREENSHOTS")):
        return
    for scheme in ("light", "dark"):
        page = await visit(color_scheme=scheme, viewport={"width": 1240, "height": 700})
        for name, address in PAGES.items():
            if name != "find" and (scheme == "light" or name == "completeness"):
                await page.goto(url + address)
                suffix = "" if scheme == "light" else "-dark"
                await page.screenshot(path=Path(where) / f"console-{name}{suffix}.png")
