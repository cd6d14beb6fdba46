"""The lake's listing as the state of a pull."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

from producer.errors import LakeUnavailable
from producer.lake import LakeEntry, LakeObject
from producer.pulling.history import History
from schemas.keys import api_key, store_day_prefix
from schemas.registry import Source
from tests.support.producer_fakes import MODIFIED, FakeLake

CHECKS = Source.GUEST_CHECKS
FIRST = date(2024, 1, 1)
PULLED_AT = datetime(2024, 2, 1, 2, 3, 4, 56789, tzinfo=UTC)
STORES = ("001", "99 CB CB", "A/B", "São João")


def put(lake: FakeLake, key: str, body: bytes = b"{}") -> None:
    lake.objects[key] = LakeObject(key, body, {})


def day(offset: int) -> date:
    return FIRST + timedelta(days=offset)


async def test_the_newest_answer_of_every_store_and_day_is_found(lake: FakeLake) -> None:
    """Though other endpoints and days lie around it."""
    for offset in range(-1, 4):
        for store in STORES:
            for later in range(3):
                moment = PULLED_AT + timedelta(microseconds=later)
                put(lake, api_key(CHECKS, day(offset), store, moment))
            put(lake, api_key(Source.CHARGE_BACK, day(offset), store, PULLED_AT))
    history = History(lake, CHECKS)
    for offset in range(4):
        for store in STORES:
            found = await history.newest(day(offset), store)
            assert found is not None
            assert found.pulled_at == PULLED_AT + timedelta(microseconds=2)
            assert found.key == api_key(CHECKS, day(offset), store, found.pulled_at)
        assert await history.newest(day(offset), "other") is None
    assert await history.newest(day(4), STORES[0]) is None


async def test_a_range_is_listed_once_and_not_day_by_day(lake: FakeLake) -> None:
    for offset in range(365):
        put(lake, api_key(CHECKS, day(offset), "1", PULLED_AT))
    history = History(lake, CHECKS)
    for offset in range(400):
        found = await history.newest(day(offset), "1")
        assert (found is not None) == (offset < 365)
    assert len(lake.listed) == 1


async def test_what_is_no_answer_does_not_count(lake: FakeLake) -> None:
    prefix = store_day_prefix(CHECKS, FIRST, "1")
    for key, body in (
        (prefix, b""),
        (f"{prefix}20240201T000000.000000Z.json", b""),
        (f"{prefix}notes.txt", b"x"),
        ("raw/api_responses/getGuestChecks/busDt=2024-01-01", b"x"),
        ("raw/api_responses/getGuestChecks/busDt=", b"x"),
        ("raw/api_responses/getGuestChecks/busDt=zzz/storeId=1/a.json", b"x"),
    ):
        put(lake, key, body)
    assert await History(lake, CHECKS).newest(FIRST, "1") is None


async def test_an_object_under_a_name_of_its_own_has_the_time_of_its_writing(
    lake: FakeLake,
) -> None:
    by_hand = f"{store_day_prefix(CHECKS, FIRST, '1')}by-hand.json"
    put(lake, api_key(CHECKS, FIRST, "1", PULLED_AT))
    put(lake, by_hand)
    found = await History(lake, CHECKS).newest(FIRST, "1")
    assert found is not None
    assert (found.key, found.pulled_at) == (by_hand, MODIFIED)


async def test_an_earlier_day_is_listed_again(lake: FakeLake) -> None:
    for offset in range(3):
        put(lake, api_key(CHECKS, day(offset), "1", PULLED_AT))
    history = History(lake, CHECKS)
    for offset in (2, 0, 1, 2):
        assert await history.newest(day(offset), "1") is not None


class FlakyLake(FakeLake):
    """Fails at every fifth entry."""

    given = 0

    async def entries(self, prefix: str, after: str = "") -> AsyncIterator[LakeEntry]:
        """Give entries, or fail."""
        async for entry in super().entries(prefix, after):
            await asyncio.sleep(0)
            self.given += 1
            if self.given % 5 == 0:
                raise LakeUnavailable("down")
            yield entry


async def test_a_listing_that_failed_is_not_taken_for_an_empty_lake() -> None:
    """The race: others wait for the day whose listing fails, and for the day after it."""
    lake = FlakyLake()
    for offset in range(3):
        for store in STORES:
            put(lake, api_key(CHECKS, day(offset), store, PULLED_AT))
    history = History(lake, CHECKS)
    answers = await asyncio.gather(
        *(history.newest(day(offset), store) for offset in range(3) for store in STORES),
        return_exceptions=True,
    )
    assert None not in answers
    assert any(isinstance(answer, LakeUnavailable) for answer in answers)
