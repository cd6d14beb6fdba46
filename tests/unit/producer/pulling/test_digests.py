"""The lake is asked for the digest of an answer once, however many rounds ask."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from producer.errors import LakeUnavailable
from producer.pulling.content import CONTENT_DIGEST
from producer.pulling.digests import Digests


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
