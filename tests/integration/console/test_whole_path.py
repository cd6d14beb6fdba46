"""From a renamed field to a green calendar: what an operator does, in a browser on real servers."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.conftest import Lake
from tests.support.browser.visiting import Visit, assert_accessible, assert_fits_a_phone
from tests.support.consuming import consume
from tests.support.renamed import HOSTILE, dead_letter, until_sent, with_alias
from tests.support.serving import served_console

TOKEN = "ana-has-this-token-of-hers"
ACCESS = {
    "console_auth": "token",
    "console_token": f"ana:{TOKEN}",
    "console_operators": "ana",
}


async def checked(page: Page) -> None:
    """Check what every page must be."""
    await assert_accessible(page)
    await assert_fits_a_phone(page)


async def trail(page: Page) -> list[str]:
    """Return the lines of the audit trail."""
    lines = page.get_by_role("region", name="Audit trail").locator("tbody tr")
    return [re.sub(r"\s+", " ", text) for text in await lines.all_inner_texts()]


async def test_a_renamed_field_is_found_tried_and_repaired(
    visit: Visit, lake: Lake, environment: dict[str, str], tmp_path: Path
) -> None:
    """One cause for twenty days; a canary of three; then the rest; and the trail names who did it."""
    count = await asyncio.to_thread(dead_letter, lake, environment)
    assert 20 == count
    repaired = with_alias(environment, tmp_path)
    with served_console(environment, **ACCESS) as url:
        page = await visit(extra_http_headers={"Authorization": f"Bearer {TOKEN}"})
        await page.goto(f"{url}/dead-letters")
        causes = page.get_by_role("region", name="Causes").locator("tbody tr")
        await expect(causes).to_have_count(1)
        await expect(causes).to_contain_text("guestChecks.guestCheckId")
        await expect(page.get_by_text(HOSTILE).first).to_be_visible()
        await checked(page)

        await causes.get_by_role("link").click()
        await checked(page)
        await page.get_by_role("link", name="storeId=").first.click()
        await expect(page.locator(".document .wrong")).to_contain_text("guestCheckId")
        await expect(page.locator(".document")).to_contain_text("checkNumber")
        await checked(page)

        await page.go_back()
        await page.get_by_role("link", name="Try 3").click()
        stores = page.get_by_role("region", name="Messages").locator("tbody td:nth-child(2)")
        assert 3 == len(set(await stores.all_inner_texts()))
        await page.get_by_label("Reason").fill("they renamed the id")
        await checked(page)
        await page.get_by_role("button", name="Replay 3 now").click()
        await expect(page.get_by_text("3 of 3 sent back")).to_be_visible()
        await asyncio.to_thread(consume, repaired)
        await expect(page.locator("tbody .pill.loaded")).to_have_count(3)
        await expect(page.get_by_text("Done.")).to_be_visible()
        await checked(page)

        await page.get_by_role("link", name="this cause").click()
        await expect(page.locator(".cards").get_by_text("17")).to_be_visible()
        await page.get_by_role("link", name="Replay all 17").click()
        await page.get_by_role("button", name="Replay 17 now").click()
        await asyncio.to_thread(until_sent, environment, 20)
        await asyncio.to_thread(consume, repaired)
        await expect(page.locator("tbody .pill.loaded")).to_have_count(17)

        await page.goto(f"{url}/dead-letters")
        await expect(page.get_by_text("Nothing is dead-lettered")).to_be_visible()
        told = await trail(page)
        assert 3 == len(told)
        assert all(" ana " in f" {line} " for line in told), told
        assert "replay of 17 messages" in told[0]
        assert "3 ended well" in told[1]
        assert "they renamed the id" in told[1]
        assert "looked at a document" in told[2]
        await checked(page)

        await page.goto(url)
        await expect(page.locator(".cal td a.l")).to_have_count(20)
        await expect(page.locator(".cal td a.d")).to_have_count(0)
