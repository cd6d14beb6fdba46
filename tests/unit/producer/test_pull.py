"""What a pull asks for, stores and reports; the ERP and the lake are stand-ins."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import islice

import pytest

from producer.answers import Answer
from producer.errors import (
    ConfigurationError,
    ErpError,
    ErpRefusedError,
    ErpUnavailableError,
    LakeClosedError,
    LakeUnavailableError,
)
from producer.pull import Plan, make_plan, pull
from producer.tally import Tally
from schemas.keys import ApiKey, parse_key
from schemas.sources import ENDPOINTS, Endpoint
from tests.unit.producer.fakes import FakeLake

FIRST, LAST = date(2024, 2, 28), date(2024, 3, 1)
PULLED_AT = datetime(2024, 3, 2, 4, 5, 6, 789, tzinfo=UTC)


class ScriptedErp:
    """Answers every question with a document, except where told otherwise."""

    def __init__(self, failures: Mapping[str, ErpError | bytes] | None = None) -> None:
        self.failures = failures or {}
        self.asked: list[tuple[str, str, date]] = []

    async def ask(self, endpoint: Endpoint, store_id: str, bus_dt: date) -> Answer:
        """Note the question and answer it as scripted."""
        self.asked.append((endpoint.name, store_id, bus_dt))
        told = self.failures.get(store_id, b'{"storeId": "1"}')
        if isinstance(told, ErpError):
            raise told
        return Answer(told, "application/json", 200, PULLED_AT, 0.0126)


async def run(
    plan: Plan, erp: ScriptedErp, lake: FakeLake, *, concurrency: int = 2, stop_after: int = 50
) -> Tally:
    tally = Tally(plan.cell_count)
    await pull(plan, erp, lake, tally, concurrency=concurrency, stop_after_failures=stop_after)
    return tally


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
    assert len(erp.asked) == len(wanted) == 45
    assert set(erp.asked) == wanted
    stored = [parse_key(key) for key in lake.objects]
    assert {
        (key.source.value, key.store_id, key.bus_dt) for key in stored if isinstance(key, ApiKey)
    } == wanted
    assert (tally.stored, tally.failed, tally.untried) == (45, 0, 0)
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
        "20240302T040506.000789Z.json"
    )
    assert obj.body == body
    assert obj.content_encoding is None
    assert obj.ascii_metadata() == {
        "endpoint": "getChargeBack",
        "store": "S%C3%A3o%20Jo%C3%A3o",
        "business-date": "2024-02-28",
        "pulled-at": "2024-03-02T04:05:06.000789Z",
        "http-status": "200",
        "duration-ms": "13",
        "sha-256": hashlib.sha256(body).hexdigest(),
    }


async def test_what_is_no_document_is_reported_and_never_stored(lake: FakeLake) -> None:
    plan = make_plan(FIRST, FIRST, ("good", "html", "error", "gone"), ("getGuestChecks",))
    erp = ScriptedErp(
        {
            "html": b"<html>",
            "error": b'{"error": "maintenance"}',
            "gone": ErpRefusedError("the ERP answered 404"),
        }
    )
    tally = await run(plan, erp, lake)

    assert [key.rpartition("storeId=")[2].partition("/")[0] for key in lake.objects] == ["good"]
    assert {(failure.subject["store"], failure.code) for failure in tally.failures} == {
        ("html", "answer_rejected"),
        ("error", "answer_rejected"),
        ("gone", "erp_refused"),
    }
    assert tally.failures[0].subject.keys() == {"store", "business_date", "endpoint"}
    assert not tally.is_complete


async def test_a_closed_lake_ends_the_run_instead_of_asking_the_erp_in_vain(
    lake: FakeLake,
) -> None:
    lake.error = LakeClosedError("there is no bucket lake")
    erp = ScriptedErp()
    tally = await run(make_plan(FIRST, LAST, ("1", "2", "3"), ()), erp, lake)

    assert tally.stopped_by == "there is no bucket lake"
    assert len(erp.asked) <= 2
    assert tally.untried == 45 - len(erp.asked)


@pytest.mark.parametrize("who", ["erp", "lake"])
async def test_an_outage_ends_the_run_after_the_allowed_number_of_misses(
    lake: FakeLake, who: str
) -> None:
    erp = ScriptedErp({"1": ErpUnavailableError("down")} if who == "erp" else {})
    if who == "lake":
        lake.error = LakeUnavailableError("down")
    plan = make_plan(FIRST, LAST, ("1",), ())
    tally = await run(plan, erp, lake, concurrency=1, stop_after=4)

    assert (tally.failed, tally.untried) == (4, 11)
    assert tally.stopped_by == "4 answers in a row could not be had or stored"


async def test_failures_between_successes_do_not_end_the_run(lake: FakeLake) -> None:
    erp = ScriptedErp({"2": ErpUnavailableError("down")})
    plan = make_plan(FIRST, LAST, ("1", "2"), ("getGuestChecks",))
    tally = await run(plan, erp, lake, concurrency=1, stop_after=2)
    assert (tally.stored, tally.failed, tally.stopped_by) == (3, 3, None)


def test_a_plan_over_centuries_is_not_walked_to_be_counted() -> None:
    stores = tuple(str(number) for number in range(1000))
    plan = make_plan(date(1, 1, 1), date(9999, 12, 31), stores, ())
    assert plan.cell_count == 3_652_059 * 1000 * 5
    assert [cell.subject()["endpoint"] for cell in islice(plan.cells(), 2)] == [
        "getGuestChecks",
        "getFiscalInvoice",
    ]


def test_a_repeated_store_or_endpoint_counts_once() -> None:
    plan = make_plan(FIRST, FIRST, (" 001", "001 ", "1"), ("getChargeBack", "getChargeBack"))
    assert plan.stores == ("001", "1")
    assert [endpoint.name for endpoint in plan.endpoints] == ["getChargeBack"]


@pytest.mark.parametrize(
    ("stores", "endpoints", "first", "message"),
    [
        (("1",), (), date(2024, 3, 2), "--from 2024-03-02 is after --to 2024-03-01"),
        ((), (), FIRST, "no store to pull: give --store, or set STORES"),
        (("1", " "), (), FIRST, "a store id is empty"),
        (("a\nb",), (), FIRST, "cannot be printed"),
        (("a\udcff",), (), FIRST, "cannot be printed"),
        (("x" * 100,), (), FIRST, "longer than 99"),
        (("\U0001f354" * 99,), (), FIRST, "does not fit into an S3 key"),
        (("1",), ("getguestchecks",), FIRST, "the endpoints are getGuestChecks, getFiscalInvoice"),
    ],
)
def test_an_unusable_request_is_refused_before_anything_is_sent(
    stores: tuple[str, ...], endpoints: tuple[str, ...], first: date, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make_plan(first, LAST, stores, endpoints)


def test_the_longest_store_id_fits_into_a_key_and_into_metadata() -> None:
    make_plan(FIRST, LAST, ("é" * 99,), ())
