"""What the tables must show after the tour, by the word of the simulated ERP itself.

The ERP counts and sums its own days (`/_control/totals`); the warehouse is asked the same
questions in SQL. Every difference is a failure of the tour.
"""

import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg

from devstack.demo.control import control
from schemas.columns import amounts_of
from schemas.registry import STORE_DAY_LISTS

_REVENUE = """
    SELECT checks, guests, net, tax, discounts FROM v_daily_revenue
    WHERE store_id = %(store)s AND bus_dt = %(day)s
"""
_LINES = """
    SELECT count(*) FROM detail_lines AS l JOIN guest_checks AS c USING (store_id, guest_check_id)
    WHERE store_id = %(store)s AND c.opn_bus_dt = %(day)s AND c.cancel_flag IS NOT TRUE
        AND l.removed_at IS NULL
"""
_TAXES = """
    SELECT count(*) FROM taxes AS l JOIN guest_checks AS c USING (store_id, guest_check_id)
    WHERE store_id = %(store)s AND c.opn_bus_dt = %(day)s AND c.cancel_flag IS NOT TRUE
        AND l.removed_at IS NULL
"""
# Per endpoint its table, and the sums by the names that the ERP gives them.
_LISTS = {
    source.value: (source.entry.table, amounts_of(source.entry.model)) for source in STORE_DAY_LISTS
}
_LEDGER = """
    SELECT coalesce(sum(records), 0) FROM ingested_objects
    WHERE source = %(source)s AND store_id = %(store)s AND bus_dt = %(day)s
        AND state IN ('loaded', 'superseded')
"""


class StoreDay(NamedTuple):
    """One store on one business day."""

    store: str
    day: date


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


def compare(
    environment: Mapping[str, str],
    connection: psycopg.Connection[tuple[Any, ...]],
    store_days: list[StoreDay],
) -> list[Comparison]:
    """Ask the ERP and the warehouse about every store-day and compare, number by number.

    Raises:
        OSError: the ERP does not answer.
        psycopg.Error: the warehouse does not.
    """
    pairs = {
        store_day: (
            dict(_expected(_totals(environment, store_day))),
            dict(_actual(connection, store_day)),
        )
        for store_day in store_days
    }
    names = next(iter(pairs.values()))[0]
    return [
        Comparison(
            name,
            sum((expected[name] for expected, _ in pairs.values()), Decimal(0)),
            sum((actual[name] for _, actual in pairs.values()), Decimal(0)),
            tuple(at for at, (expected, actual) in pairs.items() if expected[name] != actual[name]),
        )
        for name in names
    ]


def _totals(environment: Mapping[str, str], store_day: StoreDay) -> dict[str, Any]:
    query = urllib.parse.urlencode({"storeId": store_day.store, "busDt": store_day.day.isoformat()})
    totals: dict[str, Any] = control(environment, f"totals?{query}")
    return totals


def _expected(totals: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    revenue, answer = totals["revenue"], totals["answer"]
    for name in ("checks", "guests", "net", "tax", "discounts"):
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
    connection: psycopg.Connection[tuple[Any, ...]], store_day: StoreDay
) -> Iterator[tuple[str, Decimal]]:
    where = {"store": store_day.store, "day": store_day.day}
    row = connection.execute(_REVENUE, where).fetchone() or (0, 0, 0, 0, 0)
    for name, value in zip(("checks", "guests", "net", "tax", "discounts"), row, strict=True):
        yield f"v_daily_revenue.{name}", Decimal(value)
    yield "detail_lines", _number(connection, _LINES, where)
    yield "taxes", _number(connection, _TAXES, where)
    for table, columns in _LISTS.values():
        sums = "".join(f", coalesce(sum({column}), 0)" for column in columns.values())
        query = (
            f"SELECT count(*){sums} FROM {table} "  # noqa: S608 - names from this module
            "WHERE store_id = %(store)s AND bus_dt = %(day)s AND removed_at IS NULL"
        )
        values = connection.execute(query.encode(), where).fetchone() or ()
        names = (table, *(f"{table}.{column}" for column in columns.values()))
        yield from zip(names, map(Decimal, values), strict=True)
    ledger = {**where, "source": "getGuestChecks"}
    yield "records of getGuestChecks", _number(connection, _LEDGER, ledger)


def _number(
    connection: psycopg.Connection[tuple[Any, ...]], query: str, where: Mapping[str, object]
) -> Decimal:
    row = connection.execute(query.encode(), where).fetchone()
    return Decimal(row[0]) if row else Decimal(0)
