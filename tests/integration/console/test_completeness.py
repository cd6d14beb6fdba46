"""Completeness: each store-day says what it stands at, and what to do about it."""

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import pytest

from tests.support.console_days import DAY, HOUR, Days, midnight
from tests.support.console_pages import Pages, Shown, pages_of
from tests.support.databases import execute

ASKED = f"/?last={DAY + timedelta(days=3)}&days=14"


def cells(shown: Shown, store: str) -> dict[str, tuple[str, str]]:
    """Return look and facts of a store's cells by day."""
    [line] = re.findall(
        rf"<tr><th[^>]*><a [^>]*>{re.escape(store)}</a></th>(.*?)</tr>", shown.html, re.DOTALL
    )
    return {
        day: (look, facts)
        for look, day, facts in re.findall(
            r'<a class="([\w ]+)" href="/day/([\d-]+)/[^"]*" title="([^"]*)"', line
        )
    }


def totals(shown: Shown) -> dict[str, int]:
    return {
        name: int(count) for name, count in re.findall(r"</i> ([a-z -]+) <b>(\d+)</b>", shown.html)
    }


async def test_nothing_is_loaded_yet(pages: Pages) -> None:
    shown = await pages.get("/")
    assert shown.status == 200
    assert "Nothing is loaded yet" in shown.html
    assert shown.headers["cache-control"] == "no-store"


async def test_every_state_of_a_store_day_is_told(days: Days, pages: Pages) -> None:
    """The second store is there since the first was: only then a day can be late."""
    days.expect("001", "002")
    days.day("002")
    for number, more in enumerate(
        (
            {},
            {"records": 0},
            {"first_loaded_at": midnight(DAY) + 90 * HOUR},
            {"state": "dead_lettered", "records": 75, "quarantined": 25},
        )
    ):
        days.day("001", DAY + timedelta(days=number), **more)
    shown = await pages.get(ASKED)
    assert list(cells(shown, "001").values()) == [
        ("l", "10 records"),
        ("e", "0 records"),
        ("t", "10 records, first loaded 2024-03-07 18:00"),
        ("d q1", "25 of 100 failed"),
    ]
    assert [look for look, _ in cells(shown, "002").values()] == ["l", "m", "m", "m"]
    assert totals(shown) == {
        "dead-lettered": 1, "missing": 3, "late": 1, "still open": 0, "empty day": 1, "loaded": 2,
    }  # fmt: skip
    line = f"producer pull --from {DAY + timedelta(days=1)} --to {DAY + timedelta(days=3)}"
    assert f"{line} --store=002 --endpoint getGuestChecks" in shown.html


async def test_a_history_that_is_loaded_later_is_not_late(days: Days, pages: Pages) -> None:
    days.day("001", first_loaded_at=midnight(DAY) + 1000 * HOUR)
    assert totals(await pages.get(ASKED))["late"] == 0


async def test_a_day_is_open_until_it_is_due(days: Days, pages: Pages) -> None:
    today = datetime.now(UTC).date()
    days.expect("001", first=today)
    days.day("001", today - timedelta(days=1))
    assert cells(await pages.get("/"), "001")[f"{today}"] == ("o", "nothing yet")


async def test_a_day_that_was_asked_for_too_early_is_open(days: Days, pages: Pages) -> None:
    days.day("001", asked=midnight(DAY) + 20 * HOUR)
    assert cells(await pages.get(ASKED), "001")[f"{DAY}"] == ("o", "10 records")


async def test_what_was_refused_counts_while_nothing_newer_stands(days: Days, pages: Pages) -> None:
    days.object("001", DAY, state="dead_lettered")
    days.day("002")
    days.object("002", DAY, state="dead_lettered", came=midnight(DAY) + 30 * HOUR)
    days.day("003", asked=midnight(DAY) + 35 * HOUR)
    days.object("003", DAY, state="dead_lettered", came=midnight(DAY) + 30 * HOUR)
    shown = await pages.get(ASKED)
    assert cells(shown, "001")[f"{DAY}"] == ("d", "nothing stands")
    assert cells(shown, "002")[f"{DAY}"] == ("d", "an older answer stands")
    assert cells(shown, "003")[f"{DAY}"] == ("l", "10 records")


async def test_without_a_roster_a_store_is_expected_where_it_was_seen(
    days: Days, pages: Pages
) -> None:
    """From its first day there until a week after its last, and of no export."""
    days.day("001")
    days.day("001", DAY + timedelta(days=2))
    days.day("002", source="getChargeBack")
    days.day("003", source="erp")
    shown = await pages.get(f"/?last={DAY + timedelta(days=13)}&days=14")
    assert "".join(look for look, _ in cells(shown, "001").values()) == "lml" + 7 * "m"
    assert "002" not in shown.html.partition("<tbody>")[2]
    assert "003" not in shown.html.partition("<tbody>")[2]


async def test_a_total_filters_the_stores_that_have_it(days: Days, pages: Pages) -> None:
    days.expect("001", "002")
    days.day("001")
    shown = await pages.get(f"/?last={DAY}&state=missing")
    assert ">002</a>" in shown.html
    assert ">001</a>" not in shown.html
    assert "only-m" in shown.html
    assert "No store is late" in (await pages.get(f"/?last={DAY}&state=late")).html


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("/?source=nothing&days=9&state=x", 200),
        ("/?last=", 200),
        ("/?last=yesterday", 400),
        ("/?last=0001-01-01", 400),
        ("/?last=9999-12-31", 400),
        ("/?part=0", 400),
        ("/?part=999", 200),
        ("/?source=%00%FF", 200),
        ("/?state=" + "a" * 500, 400),
        ("/?" + "&".join(f"{'a' * 100}{n}=b" for n in range(100)), 200),
    ],
)
async def test_what_cannot_be_read_is_a_page_and_not_a_fault(
    days: Days, pages: Pages, asked: str, status: int
) -> None:
    days.day("001")
    assert (await pages.get(asked)).status == status


async def test_sixty_stores_and_a_month_are_one_small_page(days: Days, pages: Pages) -> None:
    """The helper refuses pages that are too large; longer names make more parts."""
    days.execute(
        "INSERT INTO expected_stores SELECT 'Restaurante S' || n || repeat('ã', %s), 'getGuestChecks',"
        " date '2024-01-01', NULL, now() FROM generate_series(1, 60) AS n",
        0,
    )
    days.day("Restaurante S1")
    shown = await pages.get(f"/?last={DAY}")
    assert shown.html.count('<tr><th scope="row"') == 60
    days.execute("UPDATE expected_stores SET store_id = store_id || repeat('ã', 30)")
    shown = await pages.get(f"/?last={DAY}")
    assert "part 1 of" in shown.html


async def test_who_did_not_answer_is_named_at_once_from_then_on_and_noticed_when_up(
    tables: dict[str, str],
) -> None:
    """The second page does not wait as the first does; a database without tables says what to do."""
    name = f"later_{token_hex(6)}"
    async with pages_of({**tables, "DB_NAME": name}) as pages:
        shown = await pages.get("/")
        assert shown.status == 200
        assert "PostgreSQL did not answer." in shown.html
        assert "Nothing is loaded" not in shown.html
        began = time.monotonic()
        shown = await pages.get("/revenue")
        assert time.monotonic() - began < 1
        assert "PostgreSQL did not answer." in shown.html
        execute(tables, f"CREATE DATABASE {name}")
        try:
            shown = await pages.get("/revenue")
            assert "run `consumer migrate`" in shown.html
        finally:
            execute(tables, f"DROP DATABASE {name} WITH (FORCE)")


async def test_more_visitors_than_sessions_wait_their_turn(days: Days, pages: Pages) -> None:
    """Longer than one waits for a database that is down: busy is not silent."""
    with days.locked("store_days"):
        asked = [asyncio.create_task(pages.get("/")) for _ in range(6)]
        await asyncio.sleep(2.5)
    for shown in await asyncio.gather(*asked):
        assert "Nothing is loaded yet" in shown.html
