"""A year of one small store, in the middle of which the ERP is changed without notice."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from rich.console import Console

from devstack.demo import report, warehouse
from devstack.demo.control import control
from devstack.demo.expectations import StoreDay, Totals, compare, expected_totals
from devstack.demo.programs import Programs
from devstack.stack import Stack
from schemas.keys import API_PREFIX
from schemas.registry import Source

TITLE = "A year with a surprise in it"
ABOUT = """\
365 days of store Praça 12. On 1 July 2023 the ERP calls `taxes` `taxation`, which is known, and
`empNum` `employeeNum`, which nobody announced; in September new fields come."""
STORE = "Praça 12"
_FIRST_DAY = date(2023, 1, 1)
_DAYS = tuple(_FIRST_DAY + timedelta(days=number) for number in range(365))
_CHECKS = Source.GUEST_CHECKS.value
# Few checks a day, and the ERP's releases of the year.
_CHAIN = {
    "checks_per_day": 3,
    "taxation_from": "2023-07-01",
    "employee_from": "2023-07-01",
    "new_fields_from": "2023-09-01",
}
# The simulated ERP stands more requests than a real one, for which 20 a second is the default.
_PULL = (
    *("env", "PULL_REQUESTS_PER_SECOND=1000", "producer", "pull", "--store", STORE),
    *("--from", str(_DAYS[0]), "--to", str(_DAYS[-1]), "--endpoint", _CHECKS),
)
_PUBLISH = ("--prefix", f"{API_PREFIX}{_CHECKS}/", "--pattern", "*/busDt=2023-*")
_LOAD = ("consumer", "run", "--until-idle", "1")
_EXPECTED_DRIFT = {
    ("guestChecks.employeeNum", "suspected_rename"),
    ("guestChecks.empNum", "missing"),
    ("guestChecks.loyaltyNum", "unknown"),
}
_REMEDY = '"guestChecks.empNum" = ["employeeNum"]'
_TOTALS = ("v_daily_revenue", "detail_lines", "taxes", f"records of {_CHECKS}")


class Year:
    """The story of the year; each part says what is not as it should be."""

    def __init__(
        self,
        stack: Stack,
        programs: Programs,
        connection: warehouse.Connection,
        console: Console,
    ) -> None:
        self._environment = stack.environment
        self._aliases = stack.directory / "aliases.toml"
        self._programs = programs
        self._connection = connection
        self._console = console

    def live(self) -> Iterator[str]:
        """Pull and load the year, show the drift, and compare every day; yields what is wrong."""
        control(self._environment, "chain", "POST", _CHAIN)
        self._programs.show(*_PULL)
        before = warehouse.settled_count(self._connection)
        self._load(
            total=len(_DAYS),
            what="objects settled",
            done=lambda: warehouse.settled_count(self._connection) - before,
        )
        drift = self._drift_of_checks()
        columns = ("field of a guest check", "what happened", "what helps")
        title = "Drift (`consumer drift` shows all of it, since when and where)"
        self._console.print(report.rows_table(title, columns, drift, left=3))
        if not {(path, kind) for path, kind, _ in drift} >= _EXPECTED_DRIFT:
            yield "expected: the year's drift is reported"
        yield from self._differences()

    def _drift_of_checks(self) -> list[tuple[str, str, str]]:
        told = self._programs.watch("consumer", "drift", "--json", on_tick=lambda: None)
        rows = json.loads(told.read_text(encoding="utf-8"))
        return [
            (row["path"], row["kind"], row["detail"] or _since(row))
            for row in rows
            if row["source"] == _CHECKS
        ]

    def repair(self) -> Iterator[str]:
        """Give the field its name back, and load again what came without; yields what is wrong."""
        self._aliases.write_text(f"[{_CHECKS}]\n{_REMEDY}\n", encoding="utf-8")
        before = self._nameless()
        self._programs.show("producer", "publish", *_PUBLISH)
        self._load(
            *("env", f"SCHEMA_ALIASES_FILE={self._aliases}"),
            total=before,
            what="checks repaired",
            done=lambda: before - self._nameless(),
        )
        after = self._nameless()
        self._console.print(f"checks without an employee: {before} before, {after} now")
        if not before or after:
            yield f"expected: all checks know their employee, not {before} → {after}"
        yield from self._differences()
        control(self._environment, "chain", "DELETE")

    def _load(self, *prefix: str, total: int, what: str, done: Callable[[], int]) -> None:
        with report.settled_bar(self._console, total, what) as tell:
            self._programs.watch(*prefix, *_LOAD, on_tick=lambda: tell(done()))

    def _nameless(self) -> int:
        return warehouse.nameless_count(self._connection, STORE)

    @cached_property
    def _expected(self) -> Totals:
        # What was sold does not depend on what the ERP calls it.
        store_days = (StoreDay(STORE, day) for day in _DAYS)
        return expected_totals(self._environment, store_days, _TOTALS)

    def _differences(self) -> Iterator[str]:
        compared = compare(self._expected, self._connection)
        wrong = [one.name for one in compared if not one.holds]
        if wrong:
            yield f"expected: the year's totals are the ERP's, not so: {json.dumps(wrong)}"
        else:
            self._console.print(
                f"[green]✓[/green] revenue of {len(_DAYS)} store-days equals what the ERP "
                "generated",
                soft_wrap=True,
            )


def _since(row: Mapping[str, Any]) -> str:
    return f"since {row['since']}" if row["since"] else ""
