"""What the tables must show after the tour, by the word of the simulated ERP itself.

The ERP counts and sums its own days (`/_control/totals`); the warehouse is asked the same
questions in SQL. Every difference is a failure of the tour.
"""

import urllib.parse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg

from devstack.demo.control import control
from schemas.columns import amounts_of
from schemas.registry import STORE_DAY_LISTS

_REVENUE = """
    SELECT store_id, bus_dt, checks, guests, net, tax, discounts FROM v_daily_revenue
    WHERE store_id = ANY (%(stores)s)
"""
_CHILDREN = """
    SELECT c.store_id, c.opn_bus_dt, count(*)
    FROM {table} AS l JOIN guest_checks AS c USING (store_id, guest_check_id)
    WHERE c.store_id = ANY (%(stores)s) AND c.cancel_flag IS NOT TRUE AND l.removed_at IS NULL
    GROUP BY c.store_id, c.opn_bus_dt
"""
_LIST = """
    SELECT store_id, bus_dt, count(*){sums} FROM {table}
    WHERE store_id = ANY (%(stores)s) AND removed_at IS NULL
    GROUP BY store_id, bus_dt
"""
# Per endpoint its table, and the sums by the names that the ERP gives them.
_LISTS = {
    source.value: (source.entry.table, amounts_of(source.entry.model)) for source in STORE_DAY_LISTS
}
_LEDGER = """
    SELECT store_id, bus_dt, sum(records) FROM ingested_objects
    WHERE source = 'getGuestChecks' AND store_id = ANY (%(stores)s)
        AND state IN ('loaded', 'superseded')
    GROUP BY store_id, bus_dt
"""
_REVENUES = ("checks", "guests", "net", "tax", "discounts")


class StoreDay(NamedTuple):
    """One store on one business day."""

    store: str
    day: date


#: What should be: numbers by name, of each store-day.
Totals = Mapping[StoreDay, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number over all store-days: what it should be, what it is, and where it differs."""

    name: str
    expected: Decimal
    actual: Decimal
    differing: tuple[StoreDay, ...]

    @property
    def holds(self) -> bool:
        """Whether every single store-day is right, not only the sum."""
        return not self.differing


def expected_totals(
    environment: Mapping[str, str], store_days: Iterable[StoreDay], about: tuple[str, ...] = ("",)
) -> Totals:
    """Ask the ERP about every store-day; of numbers whose names begin with one of `about`.

    Raises:
        OSError: the ERP does not answer.
    """
    return {
        store_day: {
            name: number
            for name, number in _expected(_totals(environment, store_day))
            if name.startswith(about)
        }
        for store_day in store_days
    }


def compare(expected: Totals, connection: psycopg.Connection[tuple[Any, ...]]) -> list[Comparison]:
    """Ask the warehouse about every store-day and compare, number by number.

    Raises:
        psycopg.Error: the warehouse does not answer.
    """
    names = next(iter(expected.values()))
    tables = {name.partition(".")[0] for name in names}
    actual = _actual(connection, expected, tables)
    return [
        Comparison(
            name,
            sum((numbers[name] for numbers in expected.values()), Decimal(0)),
            sum((actual[at][name] for at in expected), Decimal(0)),
            tuple(at for at in expected if expected[at][name] != actual[at][name]),
        )
        for name in names
    ]


def _totals(environment: Mapping[str, str], store_day: StoreDay) -> dict[str, Any]:
    query = urllib.parse.urlencode({"storeId": store_day.store, "busDt": store_day.day.isoformat()})
    totals: dict[str, Any] = control(environment, f"totals?{query}")
    return totals


def _expected(totals: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    revenue, answer = totals["revenue"], totals["answer"]
    for name in _REVENUES:
        yield f"v_daily_revenue.{name}", Decimal(revenue[name])
    yield "detail_lines", Decimal(revenue["detail_lines"])
    yield "taxes", Decimal(revenue["taxes"])
    for source, (table, columns) in _LISTS.items():
        [count] = answer[source].values()
        yield table, Decimal(count)
        for name, column in columns.items():
            yield f"{table}.{column}", Decimal(totals["amounts"][source][name])
    yield "records of getGuestChecks", Decimal(answer["getGuestChecks"]["checks"])


def _actual(
    connection: psycopg.Connection[tuple[Any, ...]],
    store_days: Iterable[StoreDay],
    tables: set[str],
) -> Mapping[StoreDay, Mapping[str, Decimal]]:
    """Return what the tables hold, 0 where they hold nothing."""
    stores = {"stores": list({store_day.store for store_day in store_days})}
    found: dict[StoreDay, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for names, query in _queries(tables):
        for store, day, *values in connection.execute(query.encode(), stores):
            found[StoreDay(store, day)].update(zip(names, map(Decimal, values), strict=True))
    return found


def _queries(tables: set[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the names of numbers, and the query of store, day and these numbers."""
    yield tuple(f"v_daily_revenue.{name}" for name in _REVENUES), _REVENUE
    for table in ("detail_lines", "taxes"):
        yield (table,), _CHILDREN.format(table=table)
    yield ("records of getGuestChecks",), _LEDGER
    for table, columns in _LISTS.values():
        if table in tables:
            sums = "".join(f", coalesce(sum({column}), 0)" for column in columns.values())
            names = (table, *(f"{table}.{column}" for column in columns.values()))
            yield names, _LIST.format(table=table, sums=sums)
