"""`consumer history` tells why a day says what it says, from the lake alone."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.aws import s3
from consumer.operate.history.chapters import Change, Chapter
from consumer.operate.history.story import Subject, tell
from consumer.settings import ConsumerSettings
from schemas.envelopes import ObjectEvent
from schemas.keys import api_key
from schemas.registry import Source
from tests.conftest import Lake
from tests.support.consuming import put
from tests.support.databases import execute
from tests.support.lake_loading import command, consumer_settings, load_new, told_json
from tests.support.migrated import with_tables
from tests.support.samples import NOON, STORE
from tests.support.warehouse import open_warehouse

FIRST = date(2024, 1, 1)
PLANTED = date(2024, 7, 9)
VERSIONS = 20
CHECKS = 40


def check(day: date, number: int, net: float, minute: int = 0) -> dict[str, Any]:
    return {
        "guestCheckId": 1000 * (day - FIRST).days + number,
        "opnBusDt": day.isoformat(),
        "clsdBusDt": day.isoformat(),
        "lastUpdatedUTC": f"{day}T20:{minute:02}:00",
        "gstCnt": 2,
        "subTtl": net,
        "taxes": [{"taxNum": 7, "taxCollTtl": 1.5}],
        "detailLines": [{"guestCheckLineItemId": 1, "dspTtl": net, "menuItem": {"miNum": 31}}],
    }


def versions() -> Iterator[tuple[str, bytes]]:
    """Give a day that was asked for often, and in which once a check had changed; and an export."""
    for version in range(VERSIONS):
        checks = [check(PLANTED, one, 10 + one) for one in range(CHECKS)]
        if version >= 12:
            checks[3] = check(PLANTED, 3, 13 + 37.5, minute=30)
        time = NOON + timedelta(hours=version)
        told = {"curUTC": time.isoformat()[:19], "locRef": STORE, "guestChecks": checks}
        yield api_key(Source.GUEST_CHECKS, PLANTED, STORE, time), json.dumps(told).encode()
    told = {"locRef": STORE, "guestChecks": [check(PLANTED, 5, 15)]}
    yield "raw/erp/closing.json", json.dumps(told).encode()


@pytest.fixture
def own(environment: dict[str, str]) -> ConsumerSettings:
    with_tables(environment)
    return consumer_settings(environment)


def told(own: ConsumerSettings, day: date, check_id: int | None = None) -> list[Chapter]:
    return asyncio.run(tell(own, Subject(STORE, day, check_id)))


def test_a_day_of_many_versions_is_told_by_fetching_each_once(
    own: ConsumerSettings, lake: Lake, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables are empty: it works from the lake. The export, which has no change, comes last."""
    objects = [*versions()]
    for one in objects:
        put(lake, *one)
    fetched: list[str] = []
    fetch = s3.Lake.fetch

    async def counting(self: s3.Lake, event: ObjectEvent, limits: s3.ReadLimits) -> Any:
        fetched.append(event.key)
        return await fetch(self, event, limits)

    monkeypatch.setattr(s3.Lake, "fetch", counting)
    story = told(own, PLANTED)
    assert sorted(key for key, _ in objects) == sorted(fetched)
    assert [key for key, _ in objects] == [one.object_key for one in story]
    changed = [number for number, one in enumerate(story) if number and one.changes]
    assert [12] == changed
    planted = str(1000 * (PLANTED - FIRST).days + 3)
    assert ((planted, Change("net", "13", "50.5")),) == story[12].changes
    assert Decimal("37.5") == story[12].net - story[11].net
    assert CHECKS == story[0].checks == story[-1].checks
    more = "--store", STORE, "--day", PLANTED.isoformat(), "--check", planted
    _, said, _ = command(environment, "history", *more)
    told_of_check = [line for line in said.splitlines() if "\tcheck\t" in line]
    assert ["last_updated_utc", "sub_ttl"] == sorted(
        line.split("\t")[2] for line in told_of_check[1:]
    )
    assert "13\tcheck\tsub_ttl\t13\t50.5" in said
    assert "+37.5" in said
    code, as_json = told_json(environment, "history", *more)
    assert (0, "50.5") == (code, as_json["documents"][12]["net"])


def test_what_lost_was_bad_or_partial_is_told(own: ConsumerSettings, lake: Lake) -> None:
    """An older answer that comes late, a bad record, an export that tells a few fields."""
    day = FIRST
    newer, older = check(day, 1, 30, minute=9), check(day, 1, 20)
    bad = {"guestCheckId": 2, "lastUpdatedUTC": "2024-01-01T20:00:00", "gstCnt": "many"}
    partial = {"guestCheckId": newer["guestCheckId"], "tblName": "Varanda"}
    for hour, checks in enumerate(([newer], [older, bad])):
        body = {"locRef": STORE, "guestChecks": checks}
        time = NOON + timedelta(hours=hour)
        put(lake, api_key(Source.GUEST_CHECKS, day, STORE, time), json.dumps(body).encode())
    put(lake, "raw/erp/x.json", json.dumps({"locRef": STORE, "guestChecks": [partial]}).encode())
    first, late, export = told(own, day)
    assert ("loaded", "dead_lettered", "loaded") == (first.outcome, late.outcome, export.outcome)
    assert ((first.object_key, 1),) == late.lost_to
    [record] = late.quarantined
    assert ("guestChecks[1]", "2") == (record["path"], record["id"])
    assert (1, (), ()) == (export.patched, export.lost_to, export.changes)
    assert [30, 30, 30] == [one.net for one in (first, late, export)]
    *_, last = told(own, day, newer["guestCheckId"])
    assert (("check", Change("tbl_name", None, "Varanda")),) == last.changes


def test_a_check_over_midnight_is_told_by_the_answers_of_both_days(
    environment: dict[str, str], own: ConsumerSettings, lake: Lake
) -> None:
    """In the order in which they came; who does not speak of the day's checks is left out.

    The ledger tells the order; the tables have forgotten the checks.
    """
    over = check(FIRST, 1, 10) | {"clsdBusDt": None}
    next_day = FIRST + timedelta(days=1)
    closed = check(FIRST, 1, 30, minute=30) | {"clsdBusDt": next_day.isoformat()}
    answers = {
        "early": (FIRST, [over]),
        "between": (next_day, [closed, check(next_day, 2, 5)]),
        "late": (FIRST, [over, check(FIRST, 9, 7)]),
        "other": (next_day, [check(next_day, 2, 6)]),
    }
    keys = {}
    for hour, (name, (day, checks)) in enumerate(answers.items()):
        keys[name] = api_key(Source.GUEST_CHECKS, day, STORE, NOON + timedelta(hours=hour))
        body = {"locRef": STORE, "guestChecks": checks}
        put(lake, keys[name], json.dumps(body).encode())
    with open_warehouse(environment, sessions=1) as warehouse:
        load_new(warehouse, lake)
        for hour, key in enumerate(keys.values()):
            warehouse.query(
                "UPDATE ingested_objects SET received_at = %s WHERE object_key = %s RETURNING 1",
                NOON + timedelta(hours=hour),
                key,
            )
    execute(environment, "TRUNCATE guest_checks CASCADE")
    early, between, late = told(own, FIRST)
    assert [keys["early"], keys["between"], keys["late"]] == [
        one.object_key for one in (early, between, late)
    ]
    assert [10, 30, 37] == [one.net for one in (early, between, late)]
    assert ((keys["between"], 1),) == late.lost_to
