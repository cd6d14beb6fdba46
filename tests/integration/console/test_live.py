"""Live and Doctor, in a browser on real servers."""

import json
from typing import Any

from playwright.async_api import Page, expect

from tests.conftest import Lake
from tests.support.browser.visiting import Visit, assert_accessible, assert_fits_a_phone
from tests.support.consuming import depth
from tests.support.databases import execute
from tests.support.migrated import with_tables
from tests.support.serving import served_console

BEAT = """
INSERT INTO consumer_heartbeats (
    consumer_id, host, process_id, version, started_at, beat_at, beat_seconds, in_flight, breaker,
    oldest_sent_at
)
VALUES (
    '{0}', '{0}', 7, '1.0', now(), now() - interval '{1} seconds', 5, 3, {2},
    now() - interval '1 hour' * length('{0}')
)
"""
ENDED = """
INSERT INTO ingested_objects (
    bucket, object_key, version_id, source, state, records, quarantined, attempts, size_bytes,
    event_time, received_at, committed_at
)
VALUES ('b', 'k', 'v', 'erp', 'loaded', 1, 0, 1, 1, now() - interval '4 seconds', now(), now())
"""


async def checked(page: Page) -> None:
    await assert_accessible(page)
    await assert_fits_a_phone(page)


async def test_the_board_renews_itself(
    visit: Visit, lake: Lake, environment: dict[str, str]
) -> None:
    with_tables(environment)
    with served_console(environment) as url:
        page, other = await visit(), await visit(java_script_enabled=False)
        await page.goto(f"{url}/live")
        await expect(page.get_by_text("No consumer told of itself")).to_be_visible()
        await checked(page)
        execute(
            environment,
            ENDED,
            BEAT.format("alive", 0, "NULL"),
            BEAT.format("dead", 60, "NULL"),
            BEAT.format("<i>held up</i>", 0, "'PostgreSQL is down'"),
        )
        lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody=json.dumps({}))
        consumers = page.get_by_role("region", name="Consumers").locator("tbody tr")
        await expect(consumers).to_have_count(3)
        told: dict[str, Any] = {}
        for line in await consumers.all():
            cells = await line.locator("th, td").all_inner_texts()
            told[cells[0]] = cells[2]
        assert {"alive": "working", "dead": "silent", "<i>held up</i>": "suspended"} == told
        await expect(page.get_by_text("4.0 s of most")).to_be_visible()
        # That of whom is held up: who is silent may hold nothing any more.
        oldest = page.locator(".card", has_text="oldest message in hand")
        await expect(oldest).to_contain_text("50,40")
        await expect(page.get_by_role("img", name="at most 1")).to_be_visible()
        await checked(page)
        await other.goto(f"{url}/live")
        await expect(other.get_by_text("PostgreSQL is down")).to_be_visible()
        await expect(other.locator(".card").first).to_contain_text("1")
        await page.goto("about:blank")  # the console ends, and would cut its stream


async def test_the_doctor_finds_what_is_wrong_and_takes_no_dead_letter(
    visit: Visit, lake: Lake, environment: dict[str, str]
) -> None:
    with_tables(environment)
    lake.sqs.send_message(QueueUrl=lake.dlq_url, MessageBody="{}")
    with served_console(environment) as url:
        viewer = await visit()
        await viewer.goto(f"{url}/doctor")
        await expect(viewer.get_by_text("The button is for operators")).to_be_visible()
    with served_console(environment, console_operators="local") as url:
        page = await visit()
        await page.goto(f"{url}/doctor")
        await page.get_by_role("button", name="Examine now").click()
        findings = page.get_by_role("region", name="Findings").locator("tbody tr")
        await expect(findings.first).to_be_visible(timeout=15_000)
        await checked(page)
        told = await findings.all_inner_texts()
        assert any("schema" in line for line in told), told
    shown = lake.sqs.get_queue_attributes(QueueUrl=lake.dlq_url, AttributeNames=["All"])
    assert "0" == shown["Attributes"]["ApproximateNumberOfMessagesNotVisible"]
    assert 1 == depth(lake, lake.dlq_url)
