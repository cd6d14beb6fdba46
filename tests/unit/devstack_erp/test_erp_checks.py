"""What guest checks look like, and that they can be asked for again."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devstack.erp.amounts import money, rounded, scaled
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from devstack.erp.store_day import MAX_CHECKS, StoreDay
from devstack.erp.ticket import Json
from schemas.guest_checks import GuestCheck
from schemas.registry import ENDPOINTS, Endpoint, Source

SettingsOf = Callable[..., SimulatorSettings]
CHECKS = Source.GUEST_CHECKS
STORE = "99 CB CB"
DAY = date(2024, 1, 1)
MONTH = [DAY + timedelta(days=n) for n in range(30)]
FIRST_BLOCK = [
    "guestCheckId",
    "chkNum",
    "opnBusDt",
    "opnUTC",
    "opnLcl",
    "clsdBusDt",
    "clsdUTC",
    "clsdLcl",
    "lastTransUTC",
    "lastTransLcl",
    "lastUpdatedUTC",
    "lastUpdatedLcl",
    "clsdFlag",
    "gstCnt",
    "subTtl",
    "nonTxblSlsTtl",
    "chkTtl",
    "dscTtl",
    "payTtl",
    "balDueTtl",
    "rvcNum",
    "otNum",
    "ocNum",
    "tblNum",
    "tblName",
    "empNum",
    "numSrvcRd",
    "numChkPrntd",
]
LINE_TYPES = {"menuItem", "discount", "serviceCharge", "tenderMedia", "errorCorrect", "other"}


def month_of_checks(simulator: Simulator, store: str = STORE) -> list[Json]:
    return [check for day in MONTH for check in simulator.records(CHECKS, store, day)]


def month_of_lines(simulator: Simulator) -> list[Json]:
    return [line for check in month_of_checks(simulator) for line in check.get("detailLines", ())]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_the_same_request_gets_the_same_bytes_from_another_simulator(
    settings_of: SettingsOf, endpoint: Endpoint
):
    answers = {Simulator(settings_of()).answer(endpoint.source, "São João", DAY) for _ in range(2)}
    assert len(answers) == 1


def test_seed_store_and_day_each_change_the_answer(settings_of: SettingsOf):
    simulator, other = Simulator(settings_of()), Simulator(settings_of(seed=7))
    requests = [
        (simulator, STORE, DAY),
        (other, STORE, DAY),
        (simulator, "001", DAY),
        (simulator, STORE, DAY + timedelta(days=1)),
    ]
    assert len({one.answer(CHECKS, store, day) for one, store, day in requests}) == len(requests)


def test_only_the_clock_of_the_answer_moves_with_time(settings_of: SettingsOf):
    at = [Simulator(settings_of(clock=f"2024-05-0{n}T06:06:06")) for n in (5, 6)]
    first, second = (simplejson.loads(one.answer(CHECKS, STORE, DAY)) for one in at)
    assert (first.pop("curUTC"), second.pop("curUTC")) == (
        "2024-05-05T06:06:06",
        "2024-05-06T06:06:06",
    )
    assert first == second


def test_every_check_has_the_whole_first_block(settings_of: SettingsOf):
    for check in month_of_checks(Simulator(settings_of())):
        assert [name for name in FIRST_BLOCK if name not in check] == []


def test_every_line_type_occurs_and_each_line_has_exactly_one(settings_of: SettingsOf):
    kinds = Counter(
        tuple(name for name in line if name in LINE_TYPES)
        for line in month_of_lines(Simulator(settings_of()))
    )
    assert set(kinds) == {(name,) for name in LINE_TYPES}


def test_the_warehouse_contract_takes_every_check_and_knows_every_field(settings_of: SettingsOf):
    for check in month_of_checks(Simulator(settings_of())):
        read = GuestCheck.model_validate(check)
        assert read.model_extra == {}
        assert [line.model_extra for line in read.detailLines or () if line.model_extra] == []


def test_a_modifier_names_its_parent_line_in_the_same_check(settings_of: SettingsOf):
    modifiers = 0
    for check in month_of_checks(Simulator(settings_of())):
        lines = {line["dtlId"]: line for line in check.get("detailLines", ())}
        for line in lines.values():
            if line.get("menuItem", {}).get("modFlag"):
                modifiers += 1
                assert not lines[line["parDtlId"]]["menuItem"].get("modFlag")
    assert modifiers > 0


def test_line_ids_are_unique_and_beyond_32_bits(settings_of: SettingsOf):
    days = [MONTH[0], MONTH[10], MONTH[20]]  # days apart share no check
    simulator = Simulator(settings_of())
    ids = [
        line["guestCheckLineItemId"]
        for day in days
        for check in simulator.records(CHECKS, STORE, day)
        for line in check.get("detailLines", ())
    ]
    assert len(set(ids)) == len(ids)
    assert min(ids) > 2**31
    assert max(ids) < 2**63


def test_optional_fields_and_awkward_values_all_occur(settings_of: SettingsOf):
    simulator = Simulator(settings_of())
    checks, lines = month_of_checks(simulator), month_of_lines(simulator)
    assert any(check["clsdUTC"] is None and not check["clsdFlag"] for check in checks)
    assert any(check.get("cancelFlag") for check in checks)
    assert any("taxes" not in check and "detailLines" not in check for check in checks)
    assert any('"' in check.get("chkName", "") for check in checks)
    assert any(check["dscTtl"] < 0 for check in checks)
    assert any(isinstance(line["dspQty"], Decimal) for line in lines)
    assert any(line["dspTtl"] is None for line in lines)
    assert any(line["lastUpdateUTC"][:7] != line["lastUpdateLcl"][:7] for line in lines)
    for name in ("vdTtl", "returnTtl", "errorCorrectTtl", "svcChgTtl", "tipTotal", "spltFrmChk"):
        assert any(name in check for check in checks), name
    for name in ("vdFlag", "errCorFlag", "returnFlag", "doNotShowFlag", "rsnCodeNum", "refInfo1"):
        assert any(name in line for line in lines), name


def test_subtotals_follow_from_the_lines_except_for_a_few(settings_of: SettingsOf):
    def lines_say(check: Json) -> Decimal:
        return sum(
            line["dspTtl"]
            for line in check.get("detailLines", ())
            if {"menuItem", "discount", "errorCorrect"} & line.keys()
        )

    checks = month_of_checks(Simulator(settings_of()))
    odd = [check for check in checks if lines_say(check) != check["subTtl"]]
    assert 0 < len(odd) < len(checks) * 0.1


def test_a_check_that_crosses_the_end_of_the_day_is_in_both_answers_unchanged(
    settings_of: SettingsOf,
):
    simulator = Simulator(settings_of(closed_days_percent=0))
    crossing = 0
    for day in MONTH:
        opened = {check["guestCheckId"]: check for check in simulator.records(CHECKS, STORE, day)}
        for check in simulator.records(CHECKS, STORE, day + timedelta(days=1)):
            if check["opnBusDt"] == day.isoformat():
                crossing += 1
                assert check == opened[check["guestCheckId"]]
                assert check["clsdBusDt"] == (day + timedelta(days=1)).isoformat()
    assert crossing > 10


def test_the_running_day_has_open_checks_that_are_closed_a_day_later(settings_of: SettingsOf):
    today = Simulator(settings_of(clock="2024-01-02T02:00:00"))  # 23:00 of 1 January in São Paulo
    later = Simulator(settings_of(clock="2024-01-03T02:00:00"))
    closed = {check["guestCheckId"]: check for check in later.records(CHECKS, STORE, DAY)}
    still_open = [c for c in today.records(CHECKS, STORE, DAY) if not c["clsdFlag"]]
    assert len(still_open) > 5
    forgotten = [check for check in still_open if closed[check["guestCheckId"]] == check]
    assert len(forgotten) <= 1
    for check in still_open:
        after = closed[check["guestCheckId"]]
        assert check["balDueTtl"] == check["chkTtl"]
        assert check in forgotten or after["clsdFlag"]
        assert check in forgotten or after["lastUpdatedUTC"] > check["lastUpdatedUTC"]


def test_after_the_first_revision_the_end_of_the_day_changes_nothing(settings_of: SettingsOf):
    """Else a check could come back with an older version than the one already pulled."""
    during, after = (
        Simulator(settings_of(clock=clock, revision=1))
        for clock in ("2024-01-02T02:00:00", "2024-01-03T02:00:00")
    )
    assert list(during.records(CHECKS, STORE, DAY)) == list(after.records(CHECKS, STORE, DAY))


def test_a_store_in_sao_paulo_is_three_hours_behind(settings_of: SettingsOf):
    check = next(Simulator(settings_of()).records(CHECKS, STORE, DAY))
    assert (check["lastUpdatedUTC"], check["lastUpdatedLcl"]) == (
        "2024-01-01T16:34:21",
        "2024-01-01T13:34:21",
    )


@pytest.mark.parametrize("count", [1, 321])
def test_a_set_number_of_checks_is_exact(settings_of: SettingsOf, count: int):
    simulator = Simulator(settings_of(checks_per_day=count, closed_days_percent=0))
    opened = [c for c in simulator.records(CHECKS, STORE, DAY) if c["opnBusDt"] == str(DAY)]
    assert len(opened) == count


def test_ids_of_the_largest_day_end_before_those_of_the_next_begin():
    store_day = StoreDay(2024, STORE, DAY)
    tomorrow = StoreDay(2024, STORE, DAY + timedelta(days=1))
    assert store_day.check_id(MAX_CHECKS - 1) < tomorrow.check_id(0)


@pytest.mark.parametrize("count", [0, 50_001])
def test_a_day_that_is_smaller_or_larger_is_no_setting(settings_of: SettingsOf, count: int):
    with pytest.raises(ValidationError, match="checks_per_day"):
        settings_of(checks_per_day=count)


def test_default_volume_is_heavier_on_weekends(settings_of: SettingsOf):
    simulator = Simulator(settings_of(closed_days_percent=0))
    counts = {day: len(list(simulator.records(CHECKS, STORE, day))) for day in MONTH}
    weekend = [count for day, count in counts.items() if day.weekday() >= 4]
    weekday = [count for day, count in counts.items() if day.weekday() < 4]
    assert min(weekday) >= 20
    assert max(weekend) <= 62  # 60, and two from the night before
    assert sum(weekend) / len(weekend) > sum(weekday) / len(weekday)


@given(st.integers(-(10**14), 10**14), st.integers(0, 6))
def test_amounts_are_written_exactly(units: int, places: int):
    text = simplejson.dumps(scaled(units, places), use_decimal=True)
    assert simplejson.loads(text, use_decimal=True) * 10**places == units


def test_money_is_written_as_short_as_the_erp_writes_it():
    written = simplejson.dumps([money(11990), money(1000), money(-5), money(0)])
    assert written == "[119.9, 10, -0.05, 0]"


def test_tax_is_rounded_half_away_from_zero():
    assert [rounded(n, 2) for n in (5, -5, 4)] == [3, -3, 2]
