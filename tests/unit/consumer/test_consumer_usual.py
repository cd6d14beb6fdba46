"""What is usual is counted in memory, and shared through a table."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from consumer.usual import UsualFields, share
from schemas.shapes import Presence
from schemas.sources import Source

ERP, TAX = Source.ERP, "guestChecks.taxes.taxNum"


def learned(*presences: tuple[str, int, int]) -> UsualFields:
    usual = UsualFields()
    usual.learn(ERP, [Presence(*presence) for presence in presences])
    return usual


def test_a_field_is_usual_once_twenty_records_all_filled_it() -> None:
    usual = learned((TAX, 19, 19))
    assert not usual.always_filled(ERP, TAX)
    usual.learn(ERP, [Presence(TAX, 1, 1)])
    assert usual.always_filled(ERP, TAX)
    assert not usual.always_filled(Source.GUEST_CHECKS, TAX)
    usual.learn(ERP, [Presence(TAX, 9, 10)])
    assert not usual.always_filled(ERP, TAX)


def test_what_was_learned_is_handed_out_once_and_in_order() -> None:
    usual = learned(("guestChecks.b", 1, 2), ("guestChecks.a", 3, 4))
    usual.learn(ERP, [Presence("guestChecks.b", 5, 5)])
    assert usual.take_unsaved() == [
        ("erp", "guestChecks.a", 3, 4),
        ("erp", "guestChecks.b", 6, 7),
    ]
    assert usual.take_unsaved() == []


def test_stored_counts_replace_those_in_memory() -> None:
    usual = learned((TAX, 20, 20))
    usual.merge([("erp", TAX, 20, 21), ("erp", "guestChecks.subTtl", 30, 30)])
    assert not usual.always_filled(ERP, TAX)
    assert usual.always_filled(ERP, "guestChecks.subTtl")
    assert list(usual.known_fields(ERP, "guestChecks.taxes")) == [TAX]


def test_threads_that_read_and_learn_at_once_lose_no_count() -> None:
    """The race: documents are prepared in threads while others are learned from."""
    usual = UsualFields()

    def work(number: int) -> None:
        for turn in range(200):
            usual.learn(ERP, [Presence(f"guestChecks.f{turn}", 1, 1)])
            usual.known_fields(ERP, "guestChecks")
            usual.always_filled(ERP, f"guestChecks.f{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert usual.take_unsaved() == sorted(
        ("erp", f"guestChecks.f{turn}", 8, 8) for turn in range(200)
    )


class DeadPool:
    """A pool whose database is down."""

    def connection(self) -> Any:
        """Fail."""
        raise psycopg.OperationalError("down")


def test_a_database_that_is_down_stops_nothing_and_what_was_learned_stays_in_memory() -> None:
    usual = learned((TAX, 20, 20))
    asyncio.run(share(usual, DeadPool()))  # type: ignore[arg-type]  # only connects
    assert usual.always_filled(ERP, TAX)


@pytest.mark.parametrize("path", [f"guestChecks.x{'y' * 50}", "guestChecks.a.b.c"])
def test_levels_and_fields_are_bounded(path: str) -> None:
    usual = UsualFields()
    for number in range(3000):
        usual.learn(ERP, [Presence(path.replace("x", f"x{number}"), 1, 1)])
        usual.learn(ERP, [Presence(f"guestChecks.{number}.z", 1, 1)])
    assert len(usual.take_unsaved()) <= 2001
