"""What analysts ask: each query of docs/reference/views.md answers as the simulated ERP would.

The right answers are summed here from the ERP's records, in Python, without SQL or the contracts.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from consumer.load.document import StagedDocument
from devstack.erp.settings import SimulatorSettings
from devstack.erp.simulator import Simulator
from devstack.erp.totals import control_totals
from schemas.registry import ENDPOINTS, Source
from tests.conftest import Servers
from tests.support.databases import own_database
from tests.support.samples import prepared
from tests.support.warehouse import Warehouse, open_warehouse

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "views.md"
QUERY = re.compile(r"^([A-Z][^\n]*\?)[^\n]*\n\n```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
ASKED = dict(QUERY.findall(PAGE.read_text("utf-8")))
STORES = ("001", "99 CB CB")
DAYS = [date(2024, 3, 1) + timedelta(days=number) for number in range(5)]
CLOCK = datetime(2024, 5, 5, 6, tzinfo=UTC)
MISSING = ("001", DAYS[2], Source.TRANSACTIONS)
BROKEN = ("99 CB CB", DAYS[3], Source.CASH_MANAGEMENT)

ERP = Simulator(SimulatorSettings(clock=CLOCK, closed_days_percent=20, revision=1))
BEFORE = Simulator(SimulatorSettings(clock=CLOCK - timedelta(days=9), closed_days_percent=20))

Record = dict[str, Any]
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def loaded(stack: Servers) -> Iterator[Warehouse]:
    """Give a warehouse of five days of two stores, corrected once; one answer never came."""
    with (
        own_database(stack.environment) as database,
        open_warehouse(database, sessions=1) as warehouse,
    ):
        for store in STORES:
            for simulator in (BEFORE, ERP):
                warehouse.load(*answers(simulator, store))
        yield warehouse


def answers(simulator: Simulator, store: str) -> Iterator[StagedDocument]:
    """Yield a store's answers; one is left out, one has a row that cannot be read."""
    number = 1000 * simulator.revision + 100 * STORES.index(store)
    for day in DAYS:
        for endpoint in ENDPOINTS:
            where = (store, day, endpoint.source)
            answer = simulator.answer(endpoint.source, store, day)
            if where == BROKEN:
                answer = answer.replace(b'"openingBalance":', b'"openingBalance":"much", "x":', 1)
            number += 1
            if where != MISSING:
                yield prepared(
                    answer, endpoint.source, store=store, day=day, number=number
                ).document


@cache
def every_check(store: str) -> dict[int, Record]:
    """Return all checks that a store's answers list, by id."""
    listed = [record for day in DAYS for record in ERP.records(Source.GUEST_CHECKS, store, day)]
    return {record["guestCheckId"]: record for record in listed}


def checks(*, cancelled: bool = False) -> Iterator[tuple[str, Record]]:
    """Yield the checks that opened on the days, with their store."""
    for store in STORES:
        for _, check in sorted(every_check(store).items()):
            is_asked = date.fromisoformat(check["opnBusDt"]) in DAYS
            if is_asked and (cancelled or not check.get("cancelFlag")):
                yield store, check


def lines(check: Record, kind: str) -> list[Record]:
    return [line for line in check.get("detailLines", ()) if kind in line]


def listed_discounts(check: Record) -> Decimal:
    return sum((line["dspTtl"] for line in lines(check, "discount")), Decimal(0))


def summed(rows: Iterator[tuple[Any, Row]]) -> list[Row]:
    """Add up rows by key, in the order of the keys; nulls come last."""
    sums: dict[Any, list[Any]] = {}
    for key, amounts in rows:
        known = sums.setdefault(key, [0] * len(amounts))
        sums[key] = [one + other for one, other in zip(known, amounts, strict=True)]
    ordered = sorted(sums, key=lambda key: [(part is None, part) for part in key])
    return [(*key, *sums[key]) for key in ordered]


def by_hour() -> list[Row]:
    return summed(
        ((int(check["opnLcl"][11:13]),), (1, check["gstCnt"], check["subTtl"]))
        for _, check in checks()
    )


def by_employee() -> list[Row]:
    return summed(
        ((store, check["empNum"]), (check["subTtl"], check.get("tipTotal", 0)))
        for store, check in checks()
        if check["clsdFlag"]
    )


def still_open() -> list[Row]:
    return [
        (store, check["guestCheckId"], check["subTtl"])
        for store, check in checks()
        if not check["clsdFlag"]
    ]


def by_tax() -> list[Row]:
    return summed(
        ((tax["taxNum"], tax["taxRate"]), (tax["txblSlsTtl"], tax["taxCollTtl"]))
        for _, check in checks()
        for tax in check.get("taxes", ())
    )


def revenue() -> list[Row]:
    rows = []
    for store in STORES:
        for day in DAYS:
            told = control_totals(ERP, store, day)["revenue"]
            net, tax = Decimal(told["net"]), Decimal(told["tax"])
            amounts = (net, net - tax, tax, Decimal(told["discounts"]))
            if told["checks"]:
                rows.append((store, day, told["checks"], told["guests"], *amounts))
    return rows


def best_items() -> list[Row]:
    sold: dict[int, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 2)
    for _, check in checks():
        for line in lines(check, "menuItem") + lines(check, "errorCorrect"):
            item = line["menuItem"]["miNum"] if "menuItem" in line else None
            item = item or line["errorCorrect"]["objectNum"]
            quantity, sales = sold[item]
            sold[item] = [quantity + line["dspQty"], sales + line["dspTtl"]]
    ranked = sorted(sold, key=lambda item: (-sold[item][1], item))
    return [(item, *sold[item]) for item in ranked[:20]]


def by_tender() -> list[Row]:
    return summed(
        ((store, line["tenderMedia"]["tmedNum"]), (1, line["dspTtl"]))
        for store, check in checks()
        for line in lines(check, "tenderMedia")
    )


def by_discount() -> list[Row]:
    def given() -> Iterator[tuple[Any, Row]]:
        for _, check in checks():
            for line in lines(check, "discount"):
                yield (line["discount"]["dscNum"],), (1, line["dspTtl"])
            if rest := check["dscTtl"] - listed_discounts(check):
                yield (None,), (1, rest)

    return summed(given())


def invoices() -> Iterator[tuple[str, date, Record]]:
    for store in STORES:
        for day in DAYS:
            for invoice in ERP.records(Source.FISCAL_INVOICE, store, day):
                yield store, day, invoice


def invoices_of_other_days() -> list[Row]:
    def found() -> Iterator[tuple[Any, Row]]:
        for store, day, invoice in invoices():
            opened = date.fromisoformat(every_check(store)[invoice["guestCheckId"]]["opnBusDt"])
            if opened != day:
                yield (store, day, opened), (1, invoice["amount"])

    return summed(found())


def invoiced() -> list[Row]:
    amounts: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for store, _, invoice in invoices():
        amounts[store, invoice["guestCheckId"]] += invoice["amount"]

    def found() -> Iterator[tuple[Any, Row]]:
        for store, check in checks():
            where = (store, check["guestCheckId"])
            if check["clsdFlag"] and where in amounts:
                differs = check["chkTtl"] - amounts[where]
                yield (store, "differs" if differs else "equal"), (1, differs)
            elif check["clsdFlag"]:
                listed = date.fromisoformat(check["clsdBusDt"]) in DAYS
                finding = "no_invoice" if listed else "invoices_not_loaded"
                yield (store, finding), (1, check["chkTtl"])

    return summed(found())


def unlike_their_lines() -> list[Row]:
    return [
        (store, check["guestCheckId"], rest, 0)
        for store, check in checks(cancelled=True)
        if (rest := check["dscTtl"] - listed_discounts(check))
    ]


def not_whole() -> list[Row]:
    return [(*MISSING, "missing"), (*BROKEN, "dead_lettered")]


def closed() -> list[Row]:
    opened = {(store, date.fromisoformat(check["opnBusDt"])) for store, check in checks()}
    return [(store, day) for store in STORES for day in DAYS if (store, day) not in opened]


def newest() -> list[Row]:
    return [(store, Source.GUEST_CHECKS, DAYS[-1], CLOCK) for store in STORES]


RIGHT: dict[str, Callable[[], list[Row]]] = {
    "When do guests come?": by_hour,
    "What did each employee sell, and what tips did guests leave?": by_employee,
    "Which checks are still open?": still_open,
    "How much tax at which rate?": by_tax,
    "What did each store sell on each day, with and without tax?": revenue,
    "What sells best?": best_items,
    "How did guests pay?": by_tender,
    "Which discounts were given?": by_discount,
    "Which invoices belong to the revenue of another day?": invoices_of_other_days,
    "Is every closed check invoiced, with the right amount?": invoiced,
    "Which headers differ from their lines?": unlike_their_lines,
    "Which days are not loaded, or not whole?": not_whole,
    "On which days was a store closed?": closed,
    "How new is what we know?": newest,
}


def test_every_query_of_the_page_is_asked_here() -> None:
    assert RIGHT.keys() == ASKED.keys()
    assert PAGE.read_text("utf-8").count("```sql") == len(ASKED)


@pytest.mark.parametrize("question", RIGHT)
def test_the_answer_is_the_erp_s(loaded: Warehouse, question: str) -> None:
    right = RIGHT[question]()
    assert right, "a question whose answer is empty shows nothing"
    assert right == [tuple(row.values()) for row in loaded.query(ASKED[question])]
