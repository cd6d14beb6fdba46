"""Store-days are proven in portions that stay small, whatever a store's lake holds."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import cast

from consumer.operate.proof.listing import Listing
from consumer.operate.verify.plan import Chosen, Portion, portions
from schemas.envelopes import ObjectEvent
from schemas.registry import Source

FIRST = date(2024, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(10)]


class _Listed:
    """A day's answers of two stores, of one size each."""

    def __init__(self, size_bytes: int) -> None:
        event = ObjectEvent("lake", "key", "ObjectCreated:Put", size_bytes=size_bytes)
        self._answers = {"1": [(event, None)], "2": [(event, None)]}

    async def list_ahead(self, _: Iterable[object]) -> None:
        return

    async def answers(self, source: Source, day: date) -> Mapping[str, object]:
        return self._answers if source is Source.GUEST_CHECKS and day in DAYS else {}


def cut(size_bytes: int, stores: Iterable[str] = ()) -> list[Portion]:
    async def collect() -> list[Portion]:
        listing = cast("Listing", _Listed(size_bytes))
        return [one async for one in portions(Chosen(), DAYS, [*stores], listing)]

    return asyncio.run(collect())


def test_a_week_of_one_large_store_is_cut() -> None:
    """And wherever a run ends, what is before the day it names is done for all stores."""
    found = cut(20 << 20)
    assert 2 == max(len(one.places) for one in found)
    done: set[tuple[str, date | None]] = set()
    for one in found:
        assert {("1", day) for day in DAYS if day < one.first} <= done
        assert {("2", day) for day in DAYS if day < one.first} <= done
        done |= {*one.places}
    assert {(store, day) for store in "12" for day in DAYS} == done


def test_small_ones_are_proven_together_but_not_without_bound() -> None:
    assert [14, 6] == [len(one.places) for one in cut(1)]
    many = cut(1, (f"{number:03}" for number in range(100)))
    assert 102 * 10 == sum(len(one.places) for one in many)
    assert 200 == max(len(one.places) for one in many)
