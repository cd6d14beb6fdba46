"""`consumer verify --totals FILE`: the simulated ERP's totals, and totals that differ from them."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from consumer.operate.totals.control_totals import TotalDifference, compare_totals
from consumer.operate.totals.totals_file import TotalsUnusable
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from devstack.erp.totals import control_totals
from schemas.registry import Source
from tests.support.lake_loading import command, told_json
from tests.support.loading import load
from tests.support.samples import checks, full_check, staged
from tests.support.warehouse import Warehouse

DAYS = [date(2024, 3, 1) + timedelta(days=number) for number in range(3)]
DAY: dict[str, Any] = {"opnBusDt": "2024-01-10", "clsdBusDt": "2024-01-10", "clsdFlag": True}


def compare(warehouse: Warehouse, path: Path, *lines: str) -> list[TotalDifference]:
    path.write_text("\n".join(["store,day,net,tax,checks", *lines]))
    return asyncio.run(compare_totals(warehouse.settings, path)).differences


def explained(one: TotalDifference) -> list[tuple[int, str]] | None:
    if one.explanation is None:
        return None
    return [(check.check_id, check.reason) for check in one.explanation.checks]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "totals.csv"


def test_the_erp_s_own_totals_equal_the_tables_until_one_is_changed(
    warehouse: Warehouse, path: Path, database: dict[str, str]
) -> None:
    """By the command, which says so with its exit code; a closed day equals totals of 0."""
    simulator = Simulator(SimulatorSettings(closed_days_percent=20))
    lines = []
    for number, day in enumerate(DAYS):
        where: dict[str, Any] = {"store": "001", "day": day, "number": number}
        answer = simulator.answer(Source.GUEST_CHECKS, "001", day)
        warehouse.load(staged(answer, Source.GUEST_CHECKS, **where))
        told = control_totals(simulator, "001", day)["revenue"]
        lines.append(f"001,{day},{told['net']},{told['tax']},{told['checks']}")
    assert any(line.endswith(",0.00,0.00,0") for line in lines)
    assert compare(warehouse, path, *lines) == []
    environment = {**database, "DB_NAME": warehouse.settings.db_name}
    asked = "verify", "--totals", str(path)
    assert (0, "3 store-days of the file: 0 differ\n") == command(environment, *asked)[:2]
    path.write_text(path.read_text() + "\n001,2024-03-04,5,1,1\n")
    code, told = told_json(environment, *asked)
    assert code == 1
    [found] = told["differences"]
    assert ("2024-03-04", {"tables": None, "file": "5"}) == (found["day"], found["columns"]["net"])
    assert command(environment, *asked, "--to", "2024-03-03")[0] == 0


def test_a_difference_is_explained_by_the_checks_that_sum_to_it(
    warehouse: Warehouse, path: Path
) -> None:
    """Each store's file counts something else than the tables do."""
    tax: dict[str, Any] = {"taxes": [{"taxNum": 1, "taxCollTtl": 1}]}
    usual = [full_check(number, **DAY, subTtl=number * 10, **tax) for number in (1, 2, 3)]
    late = full_check(4, **(DAY | {"clsdBusDt": "2024-01-11"}), subTtl=7, **tax)
    before = full_check(5, **(DAY | {"opnBusDt": "2024-01-09"}), subTtl=9, **tax)
    cancelled = full_check(6, **DAY, subTtl=50, cancelFlag=True, **tax)
    opened = full_check(7, opnBusDt="2024-01-10", clsdFlag=False, subTtl=3, **tax)
    for store in "ABCDE":
        everything = (*usual, late, before, cancelled, opened)
        load(warehouse, checks(*everything, store=store), store=store)
    found = compare(
        warehouse,
        path,
        "A,2024-01-10,50,4,4",
        "B,2024-01-10,120,6,6",
        "C,2024-01-10,72,5,5",
        "D,2024-01-10,67,4,4",
        "E,2024-01-10,69.5,5,5",
    )
    assert {one.store: explained(one) for one in found} == {
        "A": [(2, "counted")],
        "B": [(6, "cancelled")],
        "C": [(4, "closed_later"), (5, "opened_before")],
        "D": [(7, "open")],
        "E": None,
    }
    assert found[0].columns.keys() == {"net", "tax", "checks"}
    assert found[4].columns.keys() == {"net"}


def test_days_that_the_file_lacks_and_days_that_the_tables_lack_are_told(
    warehouse: Warehouse, path: Path
) -> None:
    for day in (10, 11, 12):
        load(
            warehouse,
            checks(full_check(day, opnBusDt=f"2024-01-{day}", subTtl=1)),
            Source.GUEST_CHECKS,
            day=date(2024, 1, day),
        )
    load(warehouse, checks(full_check(1, opnBusDt="2024-01-11", subTtl=1), store="B"), store="B")
    found = compare(
        warehouse,
        path,
        "99 CB CB,2024-01-10,1,0,1",
        "99 CB CB,2024-01-12,1,0,1",
        "nobody,2024-01-12,1,0,1",
    )
    assert [(one.store, one.day.day, one.state, one.is_told) for one in found] == [
        ("99 CB CB", 11, "loaded", False),
        ("nobody", 12, None, True),
    ]


def test_a_net_that_no_check_tells_is_not_0(warehouse: Warehouse, path: Path) -> None:
    load(warehouse, checks(full_check(1, **DAY)))
    [one] = compare(warehouse, path, "99 CB CB,2024-01-10,0,0,1")
    assert one.columns == {"net": (None, Decimal(0))}


def test_a_day_that_is_told_twice_is_refused(warehouse: Warehouse, path: Path) -> None:
    lines = ("1,2024-01-10,1,1,1", "2,2024-01-10,1,1,1", "1,2024-01-10,2,1,1")
    with pytest.raises(TotalsUnusable, match="lines 2 and 4 both tell of 1 on 2024-01-10"):
        compare(warehouse, path, *lines)
