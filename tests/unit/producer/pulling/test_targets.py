"""What a pull asks for, and what it refuses to."""

from datetime import date
from itertools import islice

import pytest

from producer.pulling.targets import make_plan
from runtime.errors import SettingsInvalid
from schemas.registry import ENDPOINTS

FIRST, LAST = date(2024, 2, 28), date(2024, 3, 1)


def test_a_plan_over_centuries_is_not_walked_to_be_counted() -> None:
    stores = tuple(str(number) for number in range(1000))
    plan = make_plan(date(1, 1, 1), date(9999, 12, 31), stores, ())
    assert plan.target_count == 3_652_059 * 1000 * len(ENDPOINTS)
    assert [target.subject()["endpoint"] for target in islice(plan.targets(), 2)] == [
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
        ((), (), FIRST, "no store to pull: give --store or --stores-file, or set STORES"),
        (("1", " "), (), FIRST, "a store id is empty"),
        (("a\nb",), (), FIRST, "unprintable characters"),
        (("a\udcff",), (), FIRST, "unprintable characters"),
        (("x" * 100,), (), FIRST, "longer than 99"),
        (("\U0001f354" * 99,), (), FIRST, "than an S3 key allows"),
        (("1",), ("getguestchecks",), FIRST, "the endpoints are getGuestChecks, getFiscalInvoice"),
    ],
)
def test_an_unusable_request_is_refused_before_anything_is_sent(
    stores: tuple[str, ...], endpoints: tuple[str, ...], first: date, message: str
) -> None:
    with pytest.raises(SettingsInvalid, match=message):
        make_plan(first, LAST, stores, endpoints)


def test_the_longest_store_id_fits_into_a_key_and_into_metadata() -> None:
    assert make_plan(FIRST, LAST, ("é" * 99,), ()).stores == ("é" * 99,)
