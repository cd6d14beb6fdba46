"""Store-day: every object about it with its ends, and its story from the lake."""

import json
from datetime import timedelta
from typing import Any

import pytest

from console.app import build
from console.data.servers import open_servers
from tests.conftest import Lake
from tests.support.console_days import DAY, HOUR, Days, midnight
from tests.support.console_pages import Pages, console_settings, pages_of
from tests.support.migrated import with_tables

STORE = "São João/1"
ADDRESS = f"/day/{DAY}/S%C3%A3o%20Jo%C3%A3o%2F1"


async def test_every_end_of_an_object_is_told(days: Days, pages: Pages) -> None:
    """Its error too, whatever the document holds, and never as markup."""
    message = "<img src=x onerror=alert(1)>: expected a number"
    number = days.object(STORE, DAY, state="dead_lettered", error_message=message)
    days.execute(
        "INSERT INTO object_events (object_id, state, records, quarantined, attempts, ended_at)"
        " VALUES (%s, 'loaded', 10, 0, 3, %s)",
        number,
        midnight(DAY) + 50 * HOUR,
    )
    shown = await pages.get(ADDRESS)
    assert shown.status == 200
    first, second = (
        shown.html.index(end) for end in ("dead-lettered (records_invalid)", "loaded <time")
    )
    assert first < second
    assert "received 3 times" in shown.html
    assert "<img src=x" not in shown.html
    assert message in shown.text
    assert f"logs/errors/{STORE}.json" in shown.text


async def test_who_is_no_operator_is_not_told_what_a_record_held(
    days: Days, tables: dict[str, str]
) -> None:
    days.object(STORE, DAY, state="dead_lettered", error_message="amount: got Maria Silva")
    async with pages_of(tables) as pages:
        shown = await pages.get(ADDRESS)
    assert shown.status == 200
    assert f"logs/errors/{STORE}.json" in shown.text
    assert "Maria" not in shown.html


async def test_what_is_expected_and_did_not_come_can_be_pulled(days: Days, pages: Pages) -> None:
    days.expect(STORE)
    shown = await pages.get(ADDRESS)
    assert "nothing came" in shown.html
    assert f"producer pull --from {DAY} '--store={STORE}'" in shown.text
    assert "No object is about this day" in shown.html


async def test_each_source_says_how_many_records_it_has(days: Days, pages: Pages) -> None:
    """What an older release loaded is counted by its ledger row."""
    days.day(STORE, records=1234)
    days.day(STORE, source="getChargeBack", records=None)
    shown = await pages.get(ADDRESS)
    assert "<b>1,234 <small>records</small></b>" in shown.html
    assert "<b>10 <small>records</small></b>" in shown.html


@pytest.mark.parametrize(
    ("address", "status"),
    [("/day", 400), ("/day?store=..&day=2024-03-04", 200), ("/day/nonsense/001", 400),
     (f"/day/{DAY}/", 400), (f"/day/{DAY}/%00%FF%F0", 200)],
)  # fmt: skip
async def test_what_cannot_be_read_is_a_page_and_not_a_fault(
    pages: Pages, address: str, status: int
) -> None:
    assert (await pages.get(address)).status == status


async def test_a_day_that_is_too_large_is_told_at_a_terminal(
    days: Days, tables: dict[str, str]
) -> None:
    days.object(STORE, DAY, size_bytes=5000)
    async with pages_of(tables, console_story_bytes=4999) as pages:
        shown = await pages.get(f"{ADDRESS}?story=1")
    assert f"consumer history '--store={STORE}' --day {DAY}" in shown.text


def document(net: int, *, hour: int) -> bytes:
    checks = [
        {
            "guestCheckId": number,
            "opnBusDt": f"{DAY}",
            "lastUpdatedUTC": f"{DAY}T{hour:02d}:00:00",
            "gstCnt": 2,
            "subTtl": net if number == 1 else 50,
        }
        for number in (1, 2)
    ]
    told: dict[str, Any] = {
        "curUTC": f"{DAY + timedelta(days=1)}T{hour:02d}:00:00",
        "locRef": STORE,
        "guestChecks": checks,
    }
    return json.dumps(told).encode()


async def test_the_story_tells_what_changed_from_one_document_to_the_next(
    environment: dict[str, str], lake: Lake
) -> None:
    """Documents that no message told of are told of, too."""
    with_tables(environment)
    days = Days(environment)
    for hour, net in ((10, 100), (12, 80)):
        stem = f"raw/api_responses/getGuestChecks/busDt={DAY}/storeId=S%C3%A3o%20Jo%C3%A3o%2F1"
        key = f"{stem}/20240305T{hour}0000.000000Z.json"
        lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=document(net, hour=hour))
    days.object(STORE, DAY, state="superseded", key="elsewhere.json")
    async with open_servers(console_settings(environment)) as servers:
        pages = Pages(build(servers))
        assert "Read them" in (await pages.get(ADDRESS)).html
        shown = await pages.get(f"{ADDRESS}?story=1")
        assert "did not answer" not in shown.html
        assert '<td class="n">150</td>' in shown.html
        assert "<b>-20</b>" in shown.html
        assert "check 1: net 100 → 80" in shown.text
        assert "It was never announced" in shown.html
