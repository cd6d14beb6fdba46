"""Plans and actions when things go wrong: two at once, stale, forged, killed in the middle."""

import asyncio
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.conftest import Lake
from tests.support.browser.visiting import Complaints, Visit, assert_accessible
from tests.support.consuming import depth
from tests.support.databases import execute
from tests.support.programs import query, succeed, until
from tests.support.renamed import dead_letter, until_sent, waiting
from tests.support.serving import console_program, free_port, served_console

TOKENS = {name: f"{name}-has-this-token-of-24" for name in ("ana", "rui", "eva")}
ACCESS = {
    "console_auth": "token",
    "console_token": ",".join(f"{name}:{token}" for name, token in TOKENS.items()),
    "console_operators": "ana, rui",
}


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[name]}"}


async def plan(page: Page, url: str, kind: str, **choice: object) -> None:
    """Go to the plan of what is dead-lettered."""
    await page.goto(f"{url}/dead-letters")
    await page.get_by_role("region", name="Causes").get_by_role("link").first.click()
    cause = page.url.rpartition("/")[2]
    chosen = "".join(f"&{name}={value}" for name, value in choice.items())
    await page.goto(f"{url}/plan?kind={kind}&cause={cause}{chosen}")


async def test_of_two_operators_one_acts_and_nobody_else_does(
    visit: Visit, complaints: Complaints, lake: Lake, environment: dict[str, str]
) -> None:
    """The second sees that the first was faster; a viewer and another site do nothing."""
    await asyncio.to_thread(dead_letter, lake, environment, 1)
    with served_console(environment, **ACCESS) as url:
        ana, rui = [await visit(extra_http_headers=bearer(name)) for name in ("ana", "rui")]
        await plan(ana, url, "replay")
        await plan(rui, url, "replay")
        used = await rui.locator("input[name=plan]").input_value()
        await rui.get_by_role("button", name="Replay 4 now").click()
        await expect(rui.get_by_text("4 of 4 sent back")).to_be_visible()
        complaints.expect("409")
        await ana.get_by_role("button", name="Replay 4 now").click()
        await expect(ana.get_by_text("The plan is not what you saw any more")).to_be_visible()
        await assert_accessible(ana)
        async with aiohttp.ClientSession(url) as session:
            await refusals(session, used)
    assert 4 == depth(lake, lake.queue_url)
    assert [("replay", "rui", 4)] == query(
        environment,
        "SELECT kind, actor, count(*) FROM operator_actions JOIN operator_action_items "
        "USING (action_id) GROUP BY kind, actor",
    )


async def refusals(session: aiohttp.ClientSession, used: str) -> None:
    """Send what must not act, and say how it is refused."""
    ours = {"Sec-Fetch-Site": "same-origin"}
    for status, headers, sealed in (
        (409, bearer("rui") | ours, used),
        (409, bearer("ana") | ours, used),
        (409, bearer("ana") | ours, used[:-2] + "xx"),
        (409, bearer("ana") | ours, ""),
        (403, bearer("eva") | ours, used),
        (403, bearer("ana") | {"Sec-Fetch-Site": "cross-site"}, used),
        (403, {"Origin": "http://evil.example"}, used),
        (401, ours, used),
    ):
        async with session.post("/actions", data={"plan": sealed}, headers=headers) as answer:
            assert status == answer.status, (headers, sealed[-4:])
    path = "/dead-letters/000000000000/1"
    for address in (path, "/plan?kind=purge&cause=000000000000"):
        async with session.get(address, headers=bearer("eva")) as answer:
            assert 403 == answer.status
    async with session.post(
        "/actions", data={"x": "y" * 70_000}, headers=bearer("ana") | ours
    ) as a:
        assert 413 == a.status


@pytest.fixture
def roles(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Give the settings of two roles: one that may only read, one that may only write down."""
    names = [f"console_{secrets.token_hex(4)}" for _ in range(2)]
    execute(environment, *(f"CREATE ROLE {name} LOGIN" for name in names))
    yield dict(zip(("console_db_user", "console_audit_db_user"), names, strict=True))
    execute(
        environment, *(f"{drop} {one}" for one in names for drop in ("DROP OWNED BY", "DROP ROLE"))
    )


async def test_a_purge_wants_the_count_and_a_plan_that_changed_is_stale(
    visit: Visit,
    complaints: Complaints,
    lake: Lake,
    environment: dict[str, str],
    roles: dict[str, str],
) -> None:
    """With the two roles of the guide, which are enough for it, and nothing else in the database."""
    await asyncio.to_thread(dead_letter, lake, environment, 1)
    reader, auditor = roles.values()
    grants = ("--grant-console", reader, "--grant-audit", auditor)
    await asyncio.to_thread(succeed, "consumer", "migrate", *grants, environment=environment)
    own = {**environment, "DB_USER": "nobody"}
    with served_console(own, console_operators="local", **roles) as url:
        page = await visit()
        await plan(page, url, "purge", canary=2)
        complaints.expect("40[09]")
        await page.get_by_label("Type 2").fill("3")
        await page.get_by_role("button", name="Purge 2 now").click()
        await expect(page.get_by_role("alert")).to_contain_text("Type 2 to delete 2 messages")
        await assert_accessible(page)
        assert 4 == waiting(environment)

        await page.get_by_label("Type 2").fill("2")
        gone = "UPDATE dead_letters SET state = 'gone' WHERE dead_letter_id = 1 RETURNING 1"
        query(environment, gone)
        await page.get_by_role("button", name="Purge 2 now").click()
        await expect(page.get_by_text("The plan is not what you saw any more")).to_be_visible()
        assert [] == query(environment, "SELECT action_id FROM operator_actions")

        query(environment, gone.replace("'gone'", "'waiting'"))
        await plan(page, url, "purge", canary=2)
        await page.get_by_label("Type 2").fill("2")
        await page.get_by_role("button", name="Purge 2 now").click()
        await expect(page.get_by_text("2 of 2 deleted")).to_be_visible()
        await expect(page.get_by_text("Done.")).to_be_visible()
    assert (2, 0) == (depth(lake, lake.dlq_url), depth(lake, lake.queue_url))
    assert [("local", "done")] == query(environment, "SELECT actor, state FROM operator_actions")


def hide(lake: Lake, count: int) -> list[str]:
    """Make dead letters invisible, as another look at the queue does; give their receipts."""
    receipts: list[str] = []
    while len(receipts) < count:
        answer = lake.sqs.receive_message(
            QueueUrl=lake.dlq_url,
            MaxNumberOfMessages=count - len(receipts),
            VisibilityTimeout=80,
            WaitTimeSeconds=1,
        )
        receipts += [found["ReceiptHandle"] for found in answer.get("Messages", [])]
    return receipts


def give_back(lake: Lake, receipts: list[str]) -> None:
    """Make them visible again."""
    for receipt in receipts:
        lake.sqs.change_message_visibility(
            QueueUrl=lake.dlq_url, ReceiptHandle=receipt, VisibilityTimeout=0
        )


async def test_a_console_that_is_killed_leaves_its_action_to_the_next(
    lake: Lake, environment: dict[str, str], tmp_path: Path
) -> None:
    """Killed when half was sent: the next one sends the other half, and nothing twice."""
    count = await asyncio.to_thread(dead_letter, lake, environment, 1)
    own = {**environment, "CONSOLE_OPERATORS": "local"}
    port, log = free_port(), tmp_path / "log"
    hidden = hide(lake, 2)
    with console_program(own, port, log) as console:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            cause = query(environment, "SELECT cause FROM causes")[0][0]
            async with session.get(f"/plan?kind=replay&cause={cause}") as answer:
                found = re.search(r'name="plan" value="([^"]+)"', await answer.text())
            assert found
            headers, form = {"Sec-Fetch-Site": "same-origin"}, {"plan": found[1]}
            async with session.post("/actions", data=form, headers=headers) as answer:
                assert "/actions/1" == answer.url.path
        await asyncio.to_thread(until_sent, environment, 2)
        console.kill()
    states = "SELECT state FROM operator_action_items ORDER BY state"
    assert ["planned", "planned", "replayed", "replayed"] == [s for (s,) in query(own, states)]
    give_back(lake, hidden)
    with console_program(own, port, log):
        await asyncio.to_thread(until_sent, environment, count)
        ended = "SELECT state FROM operator_actions"
        until(lambda: query(own, ended) == [("done",)], "the action is done")
    assert {("replayed",)} == set(query(own, states))
    assert (0, count) == (depth(lake, lake.dlq_url), depth(lake, lake.queue_url))
    told = [json.loads(line)["event"] for line in log.read_text().splitlines() if line[:1] == "{"]
    assert 2 == told.count("action_begun")


@pytest.mark.parametrize("address", ["/plan?kind=drop&cause=0", "/actions/0", "/actions/x"])
async def test_addresses_that_nobody_wrote_are_told_so(
    address: str, environment: dict[str, str]
) -> None:
    with served_console(environment, console_operators="local") as url:
        async with aiohttp.ClientSession(url) as session, session.get(address) as answer:
            assert 400 == answer.status
