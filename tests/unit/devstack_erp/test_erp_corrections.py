"""What changes between revisions, and that nothing else does."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from devstack.erp.ticket import Json
from schemas.registry import Source

SettingsOf = Callable[..., SimulatorSettings]
Running = Callable[..., AbstractContextManager[Any]]
CHECKS = Source.GUEST_CHECKS
STORE = "São João"
DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range(30)]


def checks_at(settings: SimulatorSettings, revision: int) -> dict[int, Json]:
    simulator = Simulator(settings)
    while simulator.revision < revision:
        simulator.advance()
    return {
        check["guestCheckId"]: check
        for day in DAYS
        for check in simulator.records(CHECKS, STORE, day)
    }


def test_a_changed_check_always_has_a_newer_version_and_no_check_disappears(
    settings_of: SettingsOf,
):
    revisions = [checks_at(settings_of(), revision) for revision in range(4)]
    for before, after in pairwise(revisions):
        changed = [key for key in before if before[key] != after[key]]
        assert before.keys() == after.keys()
        assert 0 < len(changed) < len(before) * 0.3
        for key in changed:
            assert after[key]["lastUpdatedUTC"] > before[key]["lastUpdatedUTC"]


def test_every_kind_of_correction_occurs(settings_of: SettingsOf):
    before, after = checks_at(settings_of(), 0), checks_at(settings_of(), 1)
    pairs = [(before[key], after[key]) for key in before if before[key] != after[key]]

    def line_ids(check: Json) -> set[int]:
        return {line["guestCheckLineItemId"] for line in check.get("detailLines", ())}

    assert any(old.get("tipTotal") != new.get("tipTotal") for old, new in pairs)
    assert any(old.get("vdTtl", 0) > new.get("vdTtl", 0) for old, new in pairs)
    assert any(old["clsdFlag"] and not new["clsdFlag"] for old, new in pairs)
    assert any(not old["clsdFlag"] and new["clsdFlag"] for old, new in pairs)
    assert any(not old.get("cancelFlag") and new.get("cancelFlag") for old, new in pairs)
    assert any(line_ids(old) - line_ids(new) for old, new in pairs)
    assert any(line_ids(new) - line_ids(old) for old, new in pairs)


def test_a_line_id_is_never_given_to_another_line(settings_of: SettingsOf):
    kinds: dict[int, str] = {}
    for revision in range(4):
        for check in checks_at(settings_of(), revision).values():
            for line in check.get("detailLines", ()):
                key, kind = line["guestCheckLineItemId"], list(line)[-1]
                assert kinds.setdefault(key, kind) == kind


def test_starting_at_a_revision_is_the_same_as_advancing_to_it(settings_of: SettingsOf):
    assert checks_at(settings_of(revision=2), 2) == checks_at(settings_of(), 2)


def test_lists_change_with_the_checks(settings_of: SettingsOf):
    simulator = Simulator(settings_of())
    sources = (Source.FISCAL_INVOICE, Source.TRANSACTIONS, Source.CHARGE_BACK)
    before = {s: [simulator.answer(s, STORE, day) for day in DAYS] for s in sources}
    simulator.advance()
    for source, answers in before.items():
        assert answers != [simulator.answer(source, STORE, day) for day in DAYS]


def test_a_day_asked_for_again_after_corrections_has_newer_versions(running: Running):
    """As a caller sees it: the same request, another answer, `lastUpdatedUTC` never goes back."""
    answers = []
    with running(checks_per_day=40, closed_days_percent=0) as client:
        for _ in range(3):
            request = {"busDt": "2024-01-01", "storeId": STORE}
            _, _, body = client.post("/res/getGuestChecks", request)
            checks = json.loads(body)["guestChecks"]
            answers.append({check["guestCheckId"]: check["lastUpdatedUTC"] for check in checks})
            client.send("POST", "/_control/advance")
    for before, after in pairwise(answers):
        assert before.keys() == after.keys()
        assert all(after[check] >= version for check, version in before.items())
        assert any(after[check] > version for check, version in before.items())
