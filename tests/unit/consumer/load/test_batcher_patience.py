"""Batches in virtual time: how long the next one waits while others are loaded."""

import asyncio

from consumer.load.batcher import Batcher
from tests.support.batching import Database, document, loading
from tests.support.consumer_fakes import play


async def loaded_at(seconds: float, loader: Batcher, name: str) -> None:
    await asyncio.sleep(seconds)
    await loader.load(document(name))


def test_while_a_batch_is_loaded_the_next_one_waits_for_more_neighbours() -> None:
    async def story() -> None:
        database = Database(seconds=0.3)
        async with loading(database, wait=0.1, concurrency=2) as loader:
            arrivals = {"a": 0.0, "b": 0.15, "c": 0.32}
            await asyncio.gather(*(loaded_at(at, loader, name) for name, at in arrivals.items()))
        assert [["a"], ["b", "c"]] == database.batches

    play(story())


def test_a_batch_that_takes_long_does_not_hold_up_the_next_one() -> None:
    async def story() -> None:
        database = Database(seconds=60)
        async with loading(database, wait=0.1, concurrency=2) as loader:
            await asyncio.gather(loaded_at(0, loader, "a"), loaded_at(1, loader, "b"))
        assert [["a"], ["b"]] == database.batches
        assert 2 > database.started_at[1]

    play(story())
