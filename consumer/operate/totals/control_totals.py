"""`consumer verify --totals`: whether `v_daily_revenue` says what a source of truth says."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from psycopg import AsyncConnection

from consumer.load import statements
from consumer.load.database import open_session
from consumer.operate.totals.explaining import Candidate, Explanation, explain
from consumer.operate.totals.totals_file import AMOUNTS, Total, TotalsUnusable, read_totals
from consumer.settings import DatabaseSettings
from runtime.terminal import finish, print_json, print_table, printable

_SHOWN = 200  # of the differences: each is explained, and all are held
_COLUMNS = ("store", "day", "state", "column", "tables", "file", "difference", "explained by")
_NOT_TOLD = "the file has no line for it"
_NOT_EXPLAINED = "no single check, and no few together"

Wanted = Callable[[Total], bool]


@dataclass(frozen=True, slots=True)
class TotalDifference:
    """A store-day of which file and tables tell something else.

    `state` is that of `v_store_days`; `columns` has what tables and file say of each that differs.
    """

    store: str
    day: date
    state: str | None
    is_told: bool
    columns: dict[str, tuple[Decimal | None, Decimal | None]]
    explanation: Explanation | None


@dataclass(frozen=True, slots=True)
class TotalsResult:
    """How many store-days were compared, how many differ, and the first of those."""

    store_days: int
    count: int
    differences: list[TotalDifference]


def verify_totals(
    settings: DatabaseSettings, path: Path, wanted: Wanted, *, as_json: bool = False
) -> bool:
    """Compare the lines of a file that are wanted with the tables, and print what differs.

    Returns:
        Whether nothing differs. Exits 1 if the file or the database cannot be read.
    """
    result = finish(compare_totals(settings, path, wanted))
    if as_json:
        print_json(
            {
                "equal": not result.count,
                "store_days": result.store_days,
                "different": result.count,
                "differences": [_told(one) for one in result.differences],
            }
        )
        return not result.count
    if result.differences:
        rows = [row for one in result.differences for row in _rows(one)]
        print_table(_COLUMNS, [[_cell(cell) for cell in row] for row in rows])
    more = result.count - len(result.differences)
    shown = f" (the first {len(result.differences)} are shown)" if more else ""
    typer.echo(f"{result.store_days} store-days of the file: {result.count} differ{shown}")
    return not result.count


async def compare_totals(
    settings: DatabaseSettings, path: Path, wanted: Wanted = lambda _: True
) -> TotalsResult:
    """Compare in one snapshot of the tables; memory does not grow with the file.

    Raises:
        TotalsUnusable: the file cannot be read, tells of a day twice, or has no wanted line.
        ConsumerError: PostgreSQL could not be asked.
    """
    async with open_session(settings) as session:
        await _stage(session, path, wanted)
        async with session.transaction():
            await session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return await _compare(session)


async def _stage(session: AsyncConnection[Any], path: Path, wanted: Wanted) -> None:
    await session.execute(statements.fixed("stage_totals"))
    columns = "line, store_id, bus_dt, net, tax, checks"
    async with session.cursor() as cursor:
        async with cursor.copy(f"COPY stage_totals ({columns}) FROM STDIN".encode()) as copy:
            for total in read_totals(path):
                if wanted(total):
                    await copy.write_row(total)
        await cursor.execute(statements.fixed("find_repeated_totals"))
        if repeated := await cursor.fetchone():
            one, other, store, day = repeated
            raise TotalsUnusable(f"{path}: lines {one} and {other} both tell of {store} on {day}")
    await session.execute("ANALYZE stage_totals")


async def _compare(session: AsyncConnection[Any]) -> TotalsResult:
    cursor = await session.execute(statements.fixed("measure_totals"))
    [(store_days, first, last)] = await cursor.fetchall()
    if not store_days:
        raise TotalsUnusable("no line of the file is of the chosen stores and days")
    limits = {"first": first, "last": last, "limit": _SHOWN}
    cursor = await session.execute(statements.fixed("compare_totals"), limits)
    rows = await cursor.fetchall()
    differences = [await _difference(session, row) for row in rows]
    return TotalsResult(store_days, rows[0][0] if rows else 0, differences)


async def _difference(session: AsyncConnection[Any], row: tuple[Any, ...]) -> TotalDifference:
    _, store, day, is_told, *amounts, state = row
    told, ours = amounts[: len(AMOUNTS)], amounts[len(AMOUNTS) :]
    pairs = dict(zip(AMOUNTS, zip(ours, told, strict=True), strict=True))
    explanation = None
    if is_told:
        known = [place for place, amount in enumerate(told) if amount is not None]
        gap = tuple((ours[place] or Decimal(0)) - told[place] for place in known)
        candidates = await _candidates(session, store, day, known)
        explanation = await asyncio.to_thread(explain, gap, candidates)
        pairs = {
            name: pair
            for name, pair in pairs.items()
            if pair[1] is not None and (pair[0] or Decimal(0)) != pair[1]
        } or {"net": pairs["net"]}  # 0 in the file, and not known in the tables
    return TotalDifference(store, day, state, is_told, pairs, explanation)


async def _candidates(
    session: AsyncConnection[Any], store: str, day: date, known: list[int]
) -> list[Candidate]:
    where = {"store": store, "day": day}
    cursor = await session.execute(statements.fixed("list_candidates"), where)
    return [
        Candidate(check_id, reason, tuple(amounts[place] for place in known))
        for check_id, reason, *amounts in await cursor.fetchall()
    ]


def _rows(one: TotalDifference) -> Iterator[tuple[Any, ...]]:
    for place, (name, (ours, told)) in enumerate(one.columns.items()):
        difference = (ours or Decimal(0)) - (told or Decimal(0))
        why = None if place else _why(one)
        yield one.store, one.day, one.state, name, ours, told, difference, why


def _why(one: TotalDifference) -> str:
    if not one.is_told:
        return _NOT_TOLD
    if one.explanation is None:
        return _NOT_EXPLAINED
    checks = ", ".join(
        f"{check.check_id} ({check.reason.replace('_', ' ')})" for check in one.explanation.checks
    )
    return checks if one.explanation.is_only else f"{checks}; or others"


def _told(one: TotalDifference) -> dict[str, Any]:
    found = one.explanation
    return {
        "store": one.store,
        "day": one.day,
        "state": one.state,
        "in_file": one.is_told,
        "columns": {
            name: {"tables": _text(ours), "file": _text(told)}
            for name, (ours, told) in one.columns.items()
        },
        "checks": found
        and [{"guest_check_id": check.check_id, "reason": check.reason} for check in found.checks],
        "is_only_explanation": found and found.is_only,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _cell(cell: Any) -> Any:
    return _text(cell) if isinstance(cell, Decimal) else cell and printable(str(cell))
