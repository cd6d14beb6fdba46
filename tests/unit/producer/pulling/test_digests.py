"""The lake is asked for the digest of an answer once, however many rounds ask."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from producer.errors import LakeUnavailable
from producer.pulling.content import CONTENT_DIGEST
from producer.pulling.digests import DIGESTS_KEY, Digests
from tests.support.producer_fakes import FakeLeaseTable


class CountingLake:
    """Counts what it is asked; one key is gone, and one answer has no digest."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.is_down = False

    async def metadata(self, key: str) -> Mapping[str, str] | None:
        self.asked[key] += 1
        if self.is_down:
            raise LakeUnavailable("down")
        return {"gone": None, "plain": {}}.get(key, {CONTENT_DIGEST: f"of {key}"})


async def test_a_digest_is_asked_for_once() -> None:
    lake: Any = CountingLake()
    digests = Digests()
    found = [await digests.of(lake, key) for key in ("a", "a", "gone", "plain", "a")]
    assert ["of a", "of a", None, None, "of a"] == found
    assert {"a": 1, "gone": 1, "plain": 1} == lake.asked


async def test_what_was_written_is_known_and_what_it_replaced_is_forgotten() -> None:
    lake: Any = CountingLake()
    digests = Digests(most=2)
    await digests.of(lake, "a")
    digests.note("b", "of b", instead_of="a")
    assert "of b" == await digests.of(lake, "b")
    digests.note("c", "of c")
    digests.note("d", "of d")
    await digests.of(lake, "b")
    assert {"a": 1, "b": 1} == lake.asked


async def test_a_failure_is_not_remembered() -> None:
    lake: Any = CountingLake()
    digests, lake.is_down = Digests(), True
    with pytest.raises(LakeUnavailable):
        await digests.of(lake, "a")
    lake.is_down = False
    assert "of a" == await digests.of(lake, "a")


DAY = "raw/api_responses/getTransactions/busDt=2024-01-{}/storeId={}/{}.json"
NEWEST, REPLACED = DAY.format("03", "1", "b"), DAY.format("03", "1", "a")
ANCIENT, OTHERS = DAY.format("01", "1", "a"), DAY.format("02", "2", "a")
SINCE = date(2024, 1, 2)


async def known(digests: Digests, *keys: str) -> list[bool]:
    """Say of which answers the digest is known without asking."""
    asked: Any = CountingLake()
    for key in keys:
        await digests.of(asked, key)
    return [key not in asked.asked for key in keys]


async def test_the_next_process_knows_what_this_one_kept_and_other_stores_of_others() -> None:
    """But neither days that are not asked for again nor answers that are not the newest."""
    table = FakeLeaseTable(DIGESTS_KEY)
    for key in (REPLACED, OTHERS):
        digests = Digests()
        digests.note(key, "1")
        await digests.keep(table, SINCE)
    digests = Digests()
    digests.note(NEWEST, "2")
    digests.note(ANCIENT, "3")
    await digests.keep(table, SINCE)
    restarted = Digests()
    await restarted.read(table)
    found = await known(restarted, NEWEST, OTHERS, ANCIENT, REPLACED)
    assert [True, True, False, False] == found
    assert "2" == await restarted.of(CountingLake(), NEWEST)  # type: ignore[arg-type]  # a fake


async def test_what_has_not_changed_is_not_written_again() -> None:
    table = FakeLeaseTable(DIGESTS_KEY)
    digests = Digests()
    digests.note(NEWEST, "1")
    await digests.keep(table, SINCE)
    written = table.tag
    await digests.keep(table, SINCE)
    restarted = Digests()
    await restarted.read(table)
    await restarted.keep(table, SINCE)
    assert written == table.tag


async def test_of_two_that_write_at_once_the_second_writes_later() -> None:
    table = FakeLeaseTable(DIGESTS_KEY)
    first, second = Digests(), Digests()
    first.note(NEWEST, "1")
    second.note(OTHERS, "1")
    table.meanwhile = lambda: second.keep(table, SINCE)
    for _ in range(2):
        await first.keep(table, SINCE)
    restarted = Digests()
    await restarted.read(table)
    assert [True, True] == await known(restarted, NEWEST, OTHERS)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"a": 1}', None])
async def test_an_object_that_cannot_be_used_is_replaced(body: bytes | None) -> None:
    table = FakeLeaseTable(DIGESTS_KEY)
    table.body = body
    digests = Digests()
    await digests.read(table)
    digests.note(NEWEST, "1")
    await digests.keep(table, SINCE)
    assert NEWEST.encode() in (table.body or b"")


async def test_a_lake_that_fails_stops_no_round() -> None:
    table = FakeLeaseTable(DIGESTS_KEY)
    table.error = LakeUnavailable("down")
    digests = Digests()
    digests.note(NEWEST, "1")
    await digests.read(table)
    await digests.keep(table, SINCE)
    table.error = None
    await digests.keep(table, SINCE)
    assert table.body is not None
