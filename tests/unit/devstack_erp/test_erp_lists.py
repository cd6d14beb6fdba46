"""What the four store-day lists look like, empty days included."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest
import simplejson

from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from devstack.erp.ticket import Json
from schemas.registry import STORE_DAY_LISTS, Source

SettingsOf = Callable[..., SimulatorSettings]
STORE = "001"
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(60)]


def rows_of(simulator: Simulator, source: Source) -> list[Json]:
    return [row for day in DAYS for row in simulator.records(source, STORE, day)]


@pytest.mark.parametrize("source", STORE_DAY_LISTS, ids=str)
def test_rows_carry_what_the_contract_names_and_some_have_no_id(
    settings_of: SettingsOf, source: Source
):
    """Petty cash and paid-outs are rows of their own kind: with amounts, without an id."""
    frame = source.entry
    rows = rows_of(Simulator(settings_of()), source)
    assert set().union(*rows) == set(frame.model.model_fields)
    assert {frame.id_field in row for row in rows} == {True, False}


@pytest.mark.parametrize("source", STORE_DAY_LISTS, ids=str)
def test_ids_start_again_every_day_and_are_unique_within_it(
    settings_of: SettingsOf, source: Source
):
    simulator, name = Simulator(settings_of()), source.entry.id_field
    seen = Counter()
    for day in DAYS:
        ids = [row[name] for row in simulator.records(source, STORE, day) if name in row]
        assert len(set(ids)) == len(ids)
        seen.update(ids)
    assert seen[1] > 10


def test_invoices_match_the_checks_that_closed_that_day(settings_of: SettingsOf):
    simulator = Simulator(settings_of())
    for day in DAYS:
        billed = {
            check["guestCheckId"]: check["chkTtl"]
            for check in simulator.records(Source.GUEST_CHECKS, STORE, day)
            if check["clsdBusDt"] == day.isoformat() and not check.get("cancelFlag")
        }
        invoices = simulator.records(Source.FISCAL_INVOICE, STORE, day)
        assert {row["guestCheckId"]: row["amount"] for row in invoices} == billed


def test_access_keys_have_44_digits_that_check(settings_of: SettingsOf):
    for row in rows_of(Simulator(settings_of()), Source.FISCAL_INVOICE):
        key = row["accessKey"]
        assert len(key) == 44
        assert key.isdecimal()
        weights = ([4, 3, 2] + [9, 8, 7, 6, 5, 4, 3, 2] * 5)[:43]
        rest = sum(int(digit) * weight for digit, weight in zip(key, weights, strict=False)) % 11
        assert int(key[43]) == (0 if rest < 2 else 11 - rest)


def test_transactions_add_up_to_the_payments_of_the_day(settings_of: SettingsOf):
    simulator = Simulator(settings_of())
    for day in DAYS[:20]:
        paid = [
            line["dspTtl"]
            for check in simulator.records(Source.GUEST_CHECKS, STORE, day)
            for line in check.get("detailLines", ())
            if "tenderMedia" in line and line["busDt"] == day.isoformat()
        ]
        rows = simulator.records(Source.TRANSACTIONS, STORE, day)
        assert sorted(row["amount"] for row in rows if "tmedNum" in row) == sorted(paid)


def test_amounts_of_both_signs_and_equal_rows_without_id_occur(settings_of: SettingsOf):
    simulator = Simulator(settings_of())
    charge_backs = rows_of(simulator, Source.CHARGE_BACK)
    assert {row["amount"] > 0 for row in charge_backs} == {True, False}
    paid_out = [row for row in rows_of(simulator, Source.TRANSACTIONS) if row["type"] == "PAID_OUT"]
    assert all(row["amount"] < 0 for row in paid_out)
    assert any(one == next_one for one, next_one in pairwise(paid_out))


@pytest.mark.parametrize("source", [Source.GUEST_CHECKS, *STORE_DAY_LISTS], ids=str)
def test_a_day_without_rows_comes_as_empty_list_as_null_or_without_the_list(
    settings_of: SettingsOf, source: Source
):
    simulator = Simulator(settings_of(closed_days_percent=100))
    answers = [simplejson.loads(simulator.answer(source, STORE, day)) for day in DAYS]
    head = {"curUTC", "locRef"} if source is Source.GUEST_CHECKS else {"storeId", "busDt"}
    lists = [[value for name, value in answer.items() if name not in head] for answer in answers]
    assert sorted(map(repr, lists)) != []
    assert {repr(value) for value in lists} == {"[]", "[None]", "[[]]"}


def test_closed_days_happen_and_the_night_before_still_shows(settings_of: SettingsOf):
    simulator = Simulator(settings_of(closed_days_percent=50))
    own, others = Counter(), 0
    for day in DAYS:
        checks = list(simulator.records(Source.GUEST_CHECKS, STORE, day))
        own[day] = sum(check["opnBusDt"] == day.isoformat() for check in checks)
        others += bool(not own[day] and checks)
    assert 0 < sum(count > 0 for count in own.values()) < len(DAYS)
    assert others > 0
