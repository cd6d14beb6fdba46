"""Visitors with a browser: one browser for all of a process's tests, a fresh profile for each visitor.

What a page logs, what it fails to load and what its Content-Security-Policy refuses fails the test.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

from tests.support.browser.finding import find_browser

_WAIT_MILLISECONDS = 15_000
_PHONE = {"width": 360, "height": 740}
# What a page that is left, or a server that is stopped, always cuts off; htmx logs it.
_LIVE, _CUT_OFF = "eventsource", "[object Event]"

Visit = Callable[..., Awaitable[Page]]


@dataclass
class Complaints:
    """What pages complained of, except for what a test says it expects."""

    expected: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Let complaints that match be: a refused request is logged by the browser as an error."""
        self.expected.append(pattern)

    def unexpected(self) -> list[str]:
        """Return what was heard and not expected."""
        return [
            text for text in self.heard if not any(re.search(one, text) for one in self.expected)
        ]

    def listen(self, page: Page) -> None:
        """Note what a page complains of from now on."""
        page.on("console", self._logged)
        page.on("pageerror", lambda error: self.heard.append(f"{page.url}: {error}"))
        page.on("requestfailed", self._failed)

    def _logged(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert") and message.text != _CUT_OFF:
            where = message.location.get("url", "")
            self.heard.append(f"{message.type}: {message.text} ({where})")

    def _failed(self, request: Request) -> None:
        if request.resource_type != _LIVE:
            self.heard.append(f"request failed: {request.method} {request.url}: {request.failure}")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Start the browser that was found; fails with what to do where there is none."""
    found = find_browser(lambda _: None)
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=found.path, env=found.environment, chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visitors(browser: Browser, complaints: Complaints) -> AsyncIterator[Visit]:
    """Give what lets one more visitor in, each with cookies of their own; all leave at the end."""
    contexts = []

    async def visit(**options: Any) -> Page:
        context = await browser.new_context(**{"reduced_motion": "reduce", **options})
        contexts.append(context)
        context.set_default_timeout(_WAIT_MILLISECONDS)
        page = await context.new_page()
        complaints.listen(page)
        return page

    try:
        yield visit
    finally:
        for context in contexts:
            await context.close()


async def assert_accessible(page: Page) -> None:
    """Fail on anything that axe objects to, in light and in dark colours."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found = await Axe().run(page)
        wrong = [
            f"{page.url}, {scheme}: {one['id']}: {one['help']}: {node['html'][:200]}"
            for one in found.response["violations"]
            for node in one["nodes"]
        ]
        assert [] == wrong, "\n".join(wrong)


async def assert_fits_a_phone(page: Page) -> None:
    """Fail if the page is wider than a phone and so must be moved to and fro to be read."""
    before = page.viewport_size
    await page.set_viewport_size(_PHONE)  # type: ignore[arg-type]  # a TypedDict, spelt as one
    width = await page.evaluate("document.documentElement.scrollWidth")
    if before:
        await page.set_viewport_size(before)
    assert width <= _PHONE["width"], f"{page.url} is {width} px wide on a phone"
