"""The scaling of the Terraform module, by its own formula, in a simulated year."""

from itertools import groupby

from tests.support.scaling import SCALING, Fleet, Policy, formula_of_the_module

DAY = 24 * 60
YEAR = 365 * DAY
ROUND_MINUTES, ROUND_MESSAGES = 15, 300
BACKFILL_AT, BACKFILL_MESSAGES = 100 * DAY, 100_000
OUTAGE = range(200 * DAY, 200 * DAY + 240)
FORMULA = formula_of_the_module()


def flaps(fleet: Fleet) -> list[int]:
    """Return the days on which tasks were started again after some had been stopped."""
    found = []
    for day, changes in groupby(fleet.changes, key=lambda change: change[0] // DAY):
        directions = [after > before for _, before, after in changes]
        if directions != sorted(directions, reverse=True):
            found.append(day)
    return found


def minutes_until_empty(fleet: Fleet, start: int, arriving: int) -> int:
    """Let minutes pass until nothing waits any more."""
    now = start
    fleet.minute(now, arriving)
    while fleet.waiting or fleet.held:
        now += 1
        fleet.minute(now, 0)
    return now - start


def test_a_year_of_rounds_with_a_backfill_and_an_outage_does_not_flap() -> None:
    """Rounds alone start nothing; the backfill and the outage start tasks once, and stop them."""
    fleet = Fleet(Policy(FORMULA), running=1)
    left: dict[int, int] = {}
    for now in range(YEAR):
        arriving = ROUND_MESSAGES if now % ROUND_MINUTES == 0 else 0
        arriving += BACKFILL_MESSAGES if now == BACKFILL_AT else 0
        fleet.minute(now, arriving, is_loading=now not in OUTAGE)
        left[now // DAY] = fleet.waiting + fleet.held
    assert flaps(fleet) == []
    assert {now // DAY for now, _, _ in fleet.changes} == {100, 200}
    assert set(left.values()) == {0}
    assert fleet.tasks == 1
    # One task all year, and what backfill and outage took besides.
    assert 0 < fleet.task_minutes / 60 - YEAR / 60 < 24


def test_a_backfill_of_100_000_objects_is_drained_by_all_tasks() -> None:
    """One task would take 17 minutes."""
    fleet = Fleet(Policy(FORMULA), running=1)
    minutes = minutes_until_empty(fleet, 1, BACKFILL_MESSAGES)
    assert [after for _, _, after in fleet.changes] == [4]
    assert minutes <= 10


def test_tasks_that_only_start_are_not_started_twice() -> None:
    """In an outage the backlog grows slowly: with a shorter cooldown each step would overshoot."""
    flapping = {}
    for cooldown_minutes in (1, 3):
        fleet = Fleet(Policy(FORMULA, out_cooldown_minutes=cooldown_minutes), running=1)
        for now in range(240):
            arriving = ROUND_MESSAGES if now % ROUND_MINUTES == 0 else 0
            fleet.minute(now, arriving, is_loading=False)
        flapping[cooldown_minutes] = flaps(fleet)
    assert flapping == {1: [0], 3: []}
    assert "scale_out_cooldown = 180" in SCALING.read_text(encoding="utf-8")


def test_a_daily_round_costs_minutes_if_nothing_runs_between() -> None:
    fleet = Fleet(Policy(FORMULA, least=0), running=0)
    for now in range(30 * DAY):
        fleet.minute(now, 5000 if now % DAY == 360 else 0)
    assert flaps(fleet) == []
    assert {after for _, _, after in fleet.changes} == {0, 1}
    assert len(fleet.changes) == 2 * 30
    assert fleet.task_minutes / 30 < 30
    assert fleet.waiting + fleet.held == 0


def test_fewer_messages_than_the_target_wake_the_first_task() -> None:
    fleet = Fleet(Policy(FORMULA, least=0), running=0)
    assert minutes_until_empty(fleet, 1, arriving=1) <= 5


def test_the_last_task_is_not_stopped_while_it_holds_messages() -> None:
    """It would be, if only what is visible counted: large documents take long."""
    slow = {"least": 0, "loads_per_minute": 5}
    by_module = Fleet(Policy(FORMULA, **slow), running=0)
    by_visible = Fleet(Policy(lambda waiting, _, tasks: waiting / max(tasks, 1), **slow), running=0)
    for now in range(DAY):
        for fleet in (by_module, by_visible):
            fleet.minute(now, 150 if now == 0 else 0)
    assert by_module.stopped_while_holding == 0
    assert by_visible.stopped_while_holding > 0
    assert by_module.waiting + by_module.held == 0
