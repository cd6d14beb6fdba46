"""Answers of a moment ago: one question for all who ask meanwhile, and failures are asked again."""

import asyncio
from typing import Any

import pytest

from console.data.recent import Recent
from consumer.errors import DatabaseUnavailable


async def test_many_ask_once_and_after_a_while_anew() -> None:
    asked: list[int] = []

    async def ask() -> list[dict[str, Any]]:
        asked.append(1)
        await asyncio.sleep(0.01)
        return [{"asked": len(asked)}]

    recent = Recent(0.2)
    told = await asyncio.gather(*(recent.get("key", ask) for _ in range(5)))
    assert [[{"asked": 1}]] * 5 == told
    assert [{"asked": 2}] == await recent.get("other", ask)
    await asyncio.sleep(0.25)
    assert [{"asked": 3}] == await recent.get("key", ask)


async def test_a_failure_is_not_kept() -> None:
    failures = [DatabaseUnavailable("down")]

    async def ask() -> list[dict[str, Any]]:
        if failures:
            raise failures.pop()
        return []

    recent = Recent(60)
    with pytest.raises(DatabaseUnavailable):
        await recent.get("key", ask)
    assert [] == await recent.get("key", ask)


async def test_a_visitor_that_leaves_takes_nothing_from_the_others() -> None:
    go = asyncio.Event()

    async def ask() -> list[dict[str, Any]]:
        await go.wait()
        return [{"asked": 1}]

    recent = Recent(60)
    leaving, staying = (asyncio.create_task(recent.get("key", ask)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    go.set()
    assert [{"asked": 1}] == await staying
