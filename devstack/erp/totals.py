"""Control totals: what a day's answers contain, and what the warehouse should show for it."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from devstack.erp.simulator import Simulator
from devstack.erp.ticket import Json
from schemas.columns import amounts_of
from schemas.registry import STORE_DAY_LISTS, Source


def control_totals(simulator: Simulator, store_id: str, day: date) -> Json:
    """Count and sum one store's day at the current revision.

    Returns:
        `answer`: how many records each endpoint's answer for that day lists. `amounts`: the
        sums over each list. `revenue`: sums over the checks *opened* on that day and not
        cancelled. Amounts are exact decimal text.
        A check that crosses midnight counts in the answers of both days, in the revenue of one.
    """
    checks = list(simulator.records(Source.GUEST_CHECKS, store_id, day))
    lists = {source: list(simulator.records(source, store_id, day)) for source in STORE_DAY_LISTS}
    answer: Json = {source.value: {source.entry.list_field: len(lists[source])} for source in lists}
    answer[Source.GUEST_CHECKS.value] = {
        "checks": len(checks),
        "detail_lines": sum(len(check.get("detailLines", ())) for check in checks),
        "taxes": sum(len(_taxes(check)) for check in checks),
    }
    return {
        "storeId": store_id,
        "busDt": day.isoformat(),
        "revision": simulator.revision,
        "answer": answer,
        "amounts": {
            source.value: {name: _sum(rows, name) for name in amounts_of(source.entry.model)}
            for source, rows in lists.items()
        },
        "revenue": _revenue(check for check in checks if check["opnBusDt"] == day.isoformat()),
    }


def _revenue(checks: Iterable[Json]) -> Json:
    counted = [check for check in checks if not check.get("cancelFlag")]
    return {
        "checks": len(counted),
        "detail_lines": sum(len(check.get("detailLines", ())) for check in counted),
        "taxes": sum(len(_taxes(check)) for check in counted),
        "guests": sum(check["gstCnt"] for check in counted),
        "net": _text(check["subTtl"] for check in counted),
        "tax": _text(tax["taxCollTtl"] for check in counted for tax in _taxes(check)),
        "discounts": _text(check["dscTtl"] for check in counted),
    }


def _taxes(check: Json) -> list[Json]:
    taxes: list[Json] = check.get("taxes", [])
    return taxes


def _sum(rows: list[Json], name: str) -> str:
    return _text(row[name] for row in rows if name in row)


def _text(amounts: Iterable[Any]) -> str:
    return f"{sum(amounts, Decimal(0)):.2f}"
