"""Loads one document at a time and looks at what the tables then say."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

from consumer.load.document import StagedDocument
from schemas.codes import State
from schemas.registry import Source
from tests.support.samples import day_list, prepared
from tests.support.warehouse import Warehouse


def load(warehouse: Warehouse, document: Any, source: Source = Source.ERP, **where: Any) -> State:
    """Load one document alone and say what became of it."""
    ready = prepared(document, source, **where).document
    return warehouse.load(ready)[ready.number]


def load_day(warehouse: Warehouse, *rows: Any, curUTC: str | None = None, **where: Any) -> State:  # noqa: N803 - the ERP's name
    """Load an answer of getTransactions alone and say what became of it."""
    root = {"curUTC": curUTC} if curUTC else {}
    answer = day_list(Source.TRANSACTIONS, *rows, **root)
    return load(warehouse, answer, Source.TRANSACTIONS, **where)


def load_in_every_order(
    warehouse: Warehouse, count: int, write: Callable[[int, str], StagedDocument]
) -> list[str]:
    """Load `count` documents in every order, one by one, two at once and all at once.

    Each order has a store of its own, for which `write` gives a document by its number.

    Returns:
        The stores.
    """
    stores: list[str] = []
    for at_once in sorted({1, min(2, count), count}):
        orders = {f"{at_once} {order}": order for order in permutations(range(count))}
        for first in range(0, count, at_once):
            warehouse.load(
                *(
                    write(number, store)
                    for store, order in orders.items()
                    for number in order[first : first + at_once]
                )
            )
        stores += orders
    return stores


def column(warehouse: Warehouse, table: str, name: str) -> list[Any]:
    """Return what the live rows of a table say in one column."""
    return [row.get(name) for row in warehouse.rows(table)]
