"""Find: keys, stores, days and checks by what is known of them, whatever is written."""

from urllib.parse import quote

import pytest

from tests.support.console_days import DAY, Days
from tests.support.console_pages import Pages

STORE = "São João/1"


async def asked(pages: Pages, words: str) -> str:
    shown = await pages.get(f"/find?q={quote(words, safe='')}")
    assert shown.status == 200
    return shown.text


async def test_a_store_is_found_by_a_part_of_its_name(days: Days, pages: Pages) -> None:
    days.day(STORE)
    days.day("Recife")
    days.expect("São Paulo")
    text = await asked(pages, "sÃo")
    assert f">{STORE}</th>" in text
    assert f'href="/day/{DAY}/S%C3%A3o%20Jo%C3%A3o%2F1"' in text
    assert ">São Paulo</th><td>none</td>" in text
    assert ">Recife<" not in text


async def test_a_check_is_found_in_every_store_that_has_its_id(days: Days, pages: Pages) -> None:
    for store in ("001", "002"):
        number = days.day(store)
        days.execute(
            "INSERT INTO guest_checks (store_id, guest_check_id, opn_bus_dt, sub_ttl, as_of, object_id,"
            " patched) VALUES (%s, 4040000123, %s, 12.50, now(), %s, false)",
            store, DAY, number,
        )  # fmt: skip
    text = await asked(pages, "4040000123")
    assert text.count("<td>4040000123</td>") == 2
    assert text.count(">12.50</td>") == 2


async def test_a_day_shows_the_stores_that_failed_first(days: Days, pages: Pages) -> None:
    days.day("001")
    days.day("002", state="dead_lettered", quarantined=1)
    text = await asked(pages, f"{DAY}")
    assert text.index(f"/day/{DAY}/002") < text.index(f"/day/{DAY}/001")


async def test_a_key_is_found_whole_and_by_its_folders(days: Days, pages: Pages) -> None:
    stem = f"raw/api_responses/getGuestChecks/busDt={DAY}/storeId=001"
    days.object("001", DAY, key=f"{stem}/20240305T000000.000000Z.json", state="dead_lettered")
    days.object("", None, source="erp", key="raw/erp/full.json")
    whole = await asked(pages, f"s3://lake/{stem}/20240305T000000.000000Z.json")
    assert "records_invalid" in whole
    assert f'>001, <span class="nowrap">{DAY}</span></a>' in await asked(pages, f"{stem}/2024")
    assert "Nothing is known" in await asked(pages, f"{stem}/2025")
    assert ">raw/erp/full.json<" in await asked(pages, "raw/erp/full.json")


async def test_exports_are_found_by_the_beginning_of_their_key(days: Days, pages: Pages) -> None:
    """By an index, whatever stands in the key."""
    for key in ("raw/erp/close_1%.json", "raw/erp/closeX1.json", "raw/erp/full.json"):
        days.object("", None, source="erp", key=key)
    assert (await asked(pages, "raw/erp/clos")).count("<code>raw/erp/clos") == 2
    assert (await asked(pages, "raw/erp/close_")).count("<code>raw/erp/") == 1
    assert "Nothing is known" in await asked(pages, "raw/erp/x")
    plan = days.explain("find_exports", bucket="lake", key="raw/erp/clos", most=9)
    assert "using ingested_objects_exports" in plan


@pytest.mark.parametrize(
    "words",
    ["<img src=x onerror=alert(1)>", "%", "\\", "' OR 1=1 --", "²", "99999999999999999999", "/", "//",
     "busDt=2024-99-99/", "\x00", "%(words)s", "😀" * 200],
)  # fmt: skip
async def test_hostile_words_find_nothing_and_break_nothing(pages: Pages, words: str) -> None:
    shown = await pages.get(f"/find?q={quote(words, safe='')}")
    assert shown.status == 200
    assert "<img src=x" not in shown.html


async def test_words_that_no_key_could_hold_are_refused(pages: Pages) -> None:
    assert (await pages.get("/find?q=" + "a" * 1025)).status == 400
