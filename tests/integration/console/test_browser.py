"""The browser of the tests: what it is for, and that nothing it sees goes unheard."""

from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.support.browser.finding import NoBrowser, find_browser
from tests.support.browser.visiting import Complaints, assert_accessible, assert_fits_a_phone

GOOD = (
    "<!doctype html><html lang=en><title>x</title>"
    "<meta name=viewport content='width=device-width'><main><h1>x</h1></main>"
)


async def answer(page: Page, body: str, policy: str) -> None:
    """Show a page that came with this Content-Security-Policy."""
    headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
    await page.route(
        "http://127.0.0.1/page", lambda route: route.fulfill(body=body, headers=headers)
    )
    await page.goto("http://127.0.0.1/page")


async def test_the_console_is_shown(page: Page, console_url: str) -> None:
    answer = await page.goto(console_url)
    assert answer is not None
    assert 200 == answer.status
    await assert_accessible(page)
    await assert_fits_a_phone(page)


async def test_what_a_policy_refuses_is_heard(page: Page, complaints: Complaints) -> None:
    complaints.expect("Content Security Policy")
    await answer(page, f"{GOOD}<p style='color:red'>x</p>", "style-src 'self'")
    assert 1 == len(complaints.heard)
    assert [] == complaints.unexpected()


async def test_what_cannot_be_loaded_is_heard(page: Page, complaints: Complaints) -> None:
    await answer(page, f"{GOOD}<img alt=x src=http://127.0.0.1:9/x.png>", "img-src *")
    await page.wait_for_load_state("networkidle")
    assert any("/x.png" in text for text in complaints.unexpected())
    complaints.expect("x.png")


async def test_what_cannot_be_read_or_is_too_wide_is_told(page: Page) -> None:
    await answer(page, GOOD, "default-src 'none'")
    await assert_accessible(page)
    await assert_fits_a_phone(page)
    await answer(page, f"{GOOD}<pre>{'x' * 400}</pre><input>", "default-src 'none'")
    with pytest.raises(AssertionError, match="label"):
        await assert_accessible(page)
    with pytest.raises(AssertionError, match="px wide"):
        await assert_fits_a_phone(page)


def test_no_browser_is_told_with_every_way_to_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without any: nothing on PATH, no home, no network."""
    monkeypatch.delenv("TEST_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr("tests.support.browser.getting._AT_HOME", ())
    monkeypatch.setattr("tests.support.browser.finding._MAC", ())
    with pytest.raises(NoBrowser) as told:
        find_browser(lambda _: None, tmp_path / "cache")
    for way in ("Chrome", "playwright install", "npm", "apt-get", "TEST_BROWSER", "make unit"):
        assert way in str(told.value)
    assert [] == list((tmp_path / "cache").iterdir())


def test_a_named_browser_must_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names one does not want another one instead."""
    monkeypatch.setenv("TEST_BROWSER", str(tmp_path / "none"))
    with pytest.raises(NoBrowser, match=r"TEST_BROWSER=.*none does not start"):
        find_browser(lambda _: None, tmp_path / "cache")
