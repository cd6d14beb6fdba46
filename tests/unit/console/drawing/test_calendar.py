"""The calendar: what a missing day is pulled with, however stores are named."""

import shlex
from datetime import date, timedelta
from typing import Any

import pytest

from console.drawing.calendar import STATES, cell, commands
from console.web.links import store_day

DAY = date(2024, 3, 4)


def missing(store: str, *numbers: int) -> list[dict[str, Any]]:
    return [
        {"store_id": store, "bus_dt": DAY + timedelta(days=number), "state": "missing"}
        for number in numbers
    ]


def test_days_in_a_row_are_one_line_and_stores_that_miss_the_same_are_too() -> None:
    rows = [*missing("001", 0, 1, 3), *missing("002", 0, 1)]
    lines, more = commands(rows, "getChargeBack")
    assert lines == [
        "producer pull --from 2024-03-04 --to 2024-03-05 --store=001 --store=002 --endpoint getChargeBack",
        "producer pull --from 2024-03-07 --store=001 --endpoint getChargeBack",
    ]
    assert more == 0


def test_a_line_can_be_pasted_into_a_shell_whatever_a_store_is_called() -> None:
    name = "--all; rm -rf '$HOME' `id`"
    [line], _ = commands(missing(name, 0), "getChargeBack")
    assert f"--store={name}" in shlex.split(line)


def test_many_lines_are_cut_short() -> None:
    lines, more = commands(missing("001", *range(0, 60, 2)), "getChargeBack")
    assert (len(lines), more) == (12, 18)


def test_every_state_has_a_look_of_its_own() -> None:
    assert len({state.look for state in STATES.values()}) == len(STATES)
    assert len({state.glyph for state in STATES.values()}) == len(STATES)


@pytest.mark.parametrize(("failed", "quarters"), [(1, 1), (50, 2), (76, 3), (99, 3)])
def test_a_part_that_failed_shows_as_quarters(failed: int, quarters: int) -> None:
    drawn = cell(
        {
            "store_id": "001", "bus_dt": DAY, "state": "dead_lettered", "is_stored": True,
            "records": 100 - failed, "quarantined": failed, "first_loaded_at": None,
        }
    )  # fmt: skip
    assert drawn.look == f"d q{quarters}"


@pytest.mark.parametrize(
    ("store", "address"),
    [
        ("99 CB CB", "/day/2024-03-04/99%20CB%20CB"),
        ("a/b?c#d", "/day/2024-03-04/a%2Fb%3Fc%23d"),
        ("..", "/day?store=..&day=2024-03-04"),
        ("a\\b", "/day?store=a%5Cb&day=2024-03-04"),
    ],
)
def test_a_store_day_has_an_address_whatever_the_store_is_called(store: str, address: str) -> None:
    assert store_day(store, DAY) == address
