"""What the ERP's releases change in its answers, and from which day on."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import chain

import pytest
import simplejson

from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from devstack.erp.ticket import Json
from devstack.erp.totals import control_totals
from schemas.registry import ENDPOINTS, Source

SettingsOf = Callable[..., SimulatorSettings]

STORE = "99 CB CB"
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(8)]
SINCE = DAYS[4]
ALL_CHANGES = dict.fromkeys(
    ("taxation_from", "employee_from", "new_fields_from", "quoted_from", "vanished_from"), SINCE
)


def shown(simulator: Simulator, source: Source, day: date) -> list[Json]:
    """Return the records of an answer, as a caller reads them."""
    answer = simplejson.loads(simulator.answer(source, STORE, day), use_decimal=True)
    return answer.get(source.entry.list_field) or []


def before_and_after(settings: SimulatorSettings, source: Source) -> tuple[list[Json], list[Json]]:
    """Return the records of the days before the change and of those since."""
    simulator = Simulator(settings)
    days = [(shown(simulator, source, day), day >= SINCE) for day in DAYS]
    old, new = ([one for one, since in days if since is which] for which in (False, True))
    return list(chain(*old)), list(chain(*new))


def names(records: list[Json]) -> set[str]:
    return set(chain.from_iterable(records))


@pytest.mark.parametrize(
    ("setting", "old", "new"),
    [("taxation_from", "taxes", "taxation"), ("employee_from", "empNum", "employeeNum")],
)
def test_a_field_gets_another_name_from_its_day_on_and_keeps_its_values(
    settings_of: SettingsOf, setting: str, old: str, new: str
):
    _, usual = before_and_after(settings_of(), Source.GUEST_CHECKS)
    before, after = before_and_after(settings_of(**{setting: SINCE}), Source.GUEST_CHECKS)
    assert old in names(before)
    assert new not in names(before)
    assert old not in names(after)
    assert [check.get(new) for check in after] == [check.get(old) for check in usual]


def test_new_fields_appear_in_checks_in_lines_and_in_every_list(settings_of: SettingsOf):
    settings = settings_of(new_fields_from=SINCE)
    before, after = before_and_after(settings, Source.GUEST_CHECKS)
    assert "loyaltyNum" not in names(before)
    assert all("loyaltyNum" in check for check in after)
    lines = list(chain.from_iterable(check.get("detailLines", ()) for check in after))
    assert all("kdsStation" in line for line in lines)
    for endpoint in ENDPOINTS[1:]:
        before, after = before_and_after(settings, endpoint.source)
        assert "channel" not in names(before)
        assert {row["channel"] for row in after} == {"POS"}


def test_numbers_come_in_quotes_without_losing_a_digit(settings_of: SettingsOf):
    quoted = {
        Source.GUEST_CHECKS: "subTtl",
        Source.TRANSACTIONS: "amount",
        Source.CASH_MANAGEMENT: "openingBalance",
    }
    for source, field in quoted.items():
        _, usual = before_and_after(settings_of(), source)
        before, after = before_and_after(settings_of(quoted_from=SINCE), source)
        assert not any(isinstance(record[field], str) for record in before)
        assert [record[field] for record in after] == [str(record[field]) for record in usual]


def test_a_field_vanishes_from_checks_and_one_from_lines(settings_of: SettingsOf):
    before, after = before_and_after(settings_of(vanished_from=SINCE), Source.GUEST_CHECKS)
    for checks, is_there in ((before, True), (after, False)):
        lines = list(chain.from_iterable(check.get("detailLines", ()) for check in checks))
        assert {"numChkPrntd" in check for check in checks} == {is_there}
        assert {"seatNum" in line for line in lines} == {is_there}


def test_whatever_answers_show_the_control_totals_stay_what_they_are(settings_of: SettingsOf):
    plain, changed = Simulator(settings_of()), Simulator(settings_of(**ALL_CHANGES))
    for day in DAYS:
        assert control_totals(changed, STORE, day) == control_totals(plain, STORE, day)


def test_changes_leave_alone_what_they_are_not_about(settings_of: SettingsOf):
    """With every change undone by hand, a check is what it was."""
    _, usual = before_and_after(settings_of(), Source.GUEST_CHECKS)
    _, changed = before_and_after(settings_of(**ALL_CHANGES), Source.GUEST_CHECKS)
    touched = {"taxes", "taxation", "empNum", "employeeNum", "subTtl", "loyaltyNum", "numChkPrntd"}
    for one, other in zip(usual, changed, strict=True):
        assert {k: v for k, v in one.items() if k not in touched | {"detailLines"}} == {
            k: v for k, v in other.items() if k not in touched | {"detailLines"}
        }
        for line, new in zip(one.get("detailLines", ()), other.get("detailLines", ()), strict=True):
            kept = {k: v for k, v in new.items() if k != "kdsStation"}
            assert kept == {k: v for k, v in line.items() if k != "seatNum"}
