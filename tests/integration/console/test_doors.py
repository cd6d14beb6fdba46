"""The console's doors, seen from outside: who gets in, and what keeps it from starting."""

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.visiting import Complaints, assert_accessible, assert_fits_a_phone
from tests.support.migrated import with_tables
from tests.support.programs import run
from tests.support.serving import served_console

TOKEN = "a-token-of-24-characters"


async def test_people_log_in_with_a_token_and_out_again(
    page: Page, complaints: Complaints, environment: dict[str, str]
) -> None:
    with_tables(environment)
    access = {"console_auth": "token", "console_token": f"ana:{TOKEN}"}
    with served_console(environment, **access) as url:
        await page.goto(f"{url}/?q=1")
        assert f"{url}/login?next=%2F%3Fq%3D1" == page.url
        await assert_accessible(page)
        await assert_fits_a_phone(page)
        complaints.expect("401")
        await page.get_by_label("Token").fill("a-guess-of-24-characters")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("No token")
        await assert_accessible(page)
        await page.get_by_label("Token").fill(TOKEN)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{url}/?q=1")
        await expect(page.get_by_text("ana · read-only")).to_be_visible()
        [cookie] = await page.context.cookies()
        assert (True, "Strict") == (cookie["httpOnly"], cookie["sameSite"])
        await page.get_by_role("button", name="Log out").click()
        await page.wait_for_url(f"{url}/login")
        assert [] == await page.context.cookies()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"CONSOLE_HOST": "0.0.0.0"}, "CONSOLE_AUTH=alb or CONSOLE_AUTH=token"),  # noqa: S104
        ({"CONSOLE_AUTH": "token"}, "CONSOLE_TOKEN or CONSOLE_TOKEN_FILE"),
        ({"CONSOLE_AUTH": "alb"}, "CONSOLE_ALB_ARN"),
    ],
)
def test_what_would_let_in_anybody_does_not_start(
    wrong: dict[str, str], told: str, environment: dict[str, str]
) -> None:
    refused = run("console", "serve", environment=environment | wrong)
    assert 2 == refused.returncode, refused.stderr
    assert told in refused.stderr
