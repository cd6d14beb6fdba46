"""What a pull asks for, stores and reports; the ERP and the lake are stand-ins."""

import hashlib
from dataclasses import replace
from datetime import date

import pytest

from producer.errors import (
    ErpRefused,
    ErpUnavailable,
    LakeClosed,
    LakeUnavailable,
    LeaseLost,
)
from producer.pulling.answers import Answer
from producer.pulling.content import content_digest
from producer.pulling.targets import PullTarget, make_plan
from schemas.keys import ApiKey, parse_key
from schemas.registry import ENDPOINTS
from tests.support.producer_fakes import FakeLake
from tests.support.pulling import FIRST, LAST, ONE_TARGET, ScriptedErp, run


async def test_every_store_day_and_endpoint_is_asked_for_once_and_stored(lake: FakeLake) -> None:
    """Leap day included; the store's text survives the key."""
    plan = make_plan(FIRST, LAST, ("001", "A/B", "São João"), ())
    erp = ScriptedErp()
    tally = await run(plan, erp, lake)

    wanted = {
        (endpoint.name, store, date.fromisoformat(day))
        for endpoint in ENDPOINTS
        for store in ("001", "A/B", "São João")
        for day in ("2024-02-28", "2024-02-29", "2024-03-01")
    }
    assert len(erp.asked) == len(wanted) == 9 * len(ENDPOINTS)
    assert set(erp.asked) == wanted
    stored = [parse_key(key) for key in lake.objects]
    assert {
        (key.source.value, key.store_id, key.bus_dt) for key in stored if isinstance(key, ApiKey)
    } == wanted
    assert (tally.stored, tally.failed, tally.untried) == (len(wanted), 0, 0)
    assert tally.is_complete


async def test_the_object_holds_the_answers_bytes_and_says_where_they_come_from(
    lake: FakeLake,
) -> None:
    body = b'\xef\xbb\xbf{ "storeId":"S\xc3\xa3o Jo\xc3\xa3o",\r\n"x":1.50}\n'
    plan = make_plan(FIRST, FIRST, ("São João",), ("getChargeBack",))
    await run(plan, ScriptedErp({"São João": body}), lake)

    (obj,) = lake.objects.values()
    assert obj.key == (
        "raw/api_responses/getChargeBack/busDt=2024-02-28/storeId=S%C3%A3o%20Jo%C3%A3o/"
        "20240322T040506.000789Z.json"
    )
    assert obj.body == body
    assert obj.content_encoding is None
    assert obj.ascii_metadata() == {
        "endpoint": "getChargeBack",
        "store": "S%C3%A3o%20Jo%C3%A3o",
        "business-date": "2024-02-28",
        "pulled-at": "2024-03-22T04:05:06.000789Z",
        "http-status": "200",
        "duration-ms": "13",
        "sha-256": hashlib.sha256(body).hexdigest(),
        "content-sha-256": content_digest(body),
    }


async def test_what_is_no_document_is_reported_and_never_stored(lake: FakeLake) -> None:
    plan = make_plan(FIRST, FIRST, ("good", "html", "error", "gone"), ("getGuestChecks",))
    erp = ScriptedErp(
        {
            "html": b"<html>",
            "error": b'{"error": "maintenance"}',
            "gone": ErpRefused("the ERP answered 404"),
        }
    )
    tally = await run(plan, erp, lake)

    assert [key.rpartition("storeId=")[2].partition("/")[0] for key in lake.objects] == ["good"]
    assert {(failure["store"], failure["code"]) for failure in tally.failures} == {
        ("html", "answer_rejected"),
        ("error", "answer_rejected"),
        ("gone", "erp_refused"),
    }
    assert {"store", "business_date", "endpoint"} < tally.failures[0].keys()
    assert not tally.is_complete


async def test_a_closed_lake_ends_the_run_instead_of_asking_the_erp_in_vain(
    lake: FakeLake,
) -> None:
    lake.error = LakeClosed("there is no bucket lake")
    erp = ScriptedErp()
    tally = await run(make_plan(FIRST, LAST, ("1", "2", "3"), ()), erp, lake)

    assert tally.stopped_by == "there is no bucket lake"
    assert len(erp.asked) <= 2
    assert tally.untried == 9 * len(ENDPOINTS) - len(erp.asked)


@pytest.mark.parametrize("who", ["erp", "lake"])
async def test_an_outage_ends_the_run_after_the_allowed_number_of_misses(
    lake: FakeLake, who: str
) -> None:
    erp = ScriptedErp({"1": ErpUnavailable("down")} if who == "erp" else {})
    if who == "lake":
        lake.error = LakeUnavailable("down")
    plan = make_plan(FIRST, LAST, ("1",), ())
    tally = await run(plan, erp, lake, concurrency=1, stop_after=4)

    assert (tally.failed, tally.untried) == (4, 3 * len(ENDPOINTS) - 4)
    assert tally.stopped_by == "4 targets in a row failed: ERP or S3 may be down"


async def test_failures_between_successes_do_not_end_the_run(lake: FakeLake) -> None:
    erp = ScriptedErp({"2": ErpUnavailable("down")})
    plan = make_plan(FIRST, LAST, ("1", "2"), ("getGuestChecks",))
    tally = await run(plan, erp, lake, concurrency=1, stop_after=2)
    assert (tally.stored, tally.failed, tally.stopped_by) == (3, 3, None)


async def test_a_store_that_is_lost_meanwhile_is_not_asked_about_and_not_written(
    lake: FakeLake,
) -> None:
    """The race: the lease ends before the question, or between question and answer."""
    for still_ours, asked in ((0, 0), (1, 1)):
        checks = 0

        def check_lease(_store_id: str) -> None:
            nonlocal checks
            checks += 1
            if checks > still_ours:  # noqa: B023 - called before the next turn
                raise LeaseLost("perhaps another's")

        erp = ScriptedErp()
        tally = await run(ONE_TARGET, erp, lake, check_lease=check_lease)
        assert (len(erp.asked), lake.objects) == (asked, {})
        assert [failure["code"] for failure in tally.failures] == ["lease_lost"]


async def test_an_answer_that_may_be_of_another_day_is_stored_and_reported(
    lake: FakeLake,
) -> None:
    """Its checks are real and load under their own day; the day asked for lacks its own."""

    class Doubting(ScriptedErp):
        async def ask(self, target: PullTarget) -> Answer:
            """Answer, with a doubt."""
            return replace(await super().ask(target), doubt="all checks are of the 27th")

    plan = make_plan(FIRST, FIRST, ("99 CB CB",), ("getGuestChecks",))
    for _ in range(2):
        tally = await run(plan, Doubting(), lake, force=True)
        (failure,) = tally.failures
        assert (failure["code"], tally.is_complete) == ("answer_rejected", False)
        assert failure["message"] == (
            "stored, but all checks are of the 27th; look the day up in the ERP, then run: producer "
            "pull --force --from 2024-02-28 --to 2024-02-28 --store '99 CB CB' "
            "--endpoint getGuestChecks"
        )
    assert len(lake.objects) == 1
