"""Health is told from the first second: what is waited for, then how the work is."""

import asyncio

from consumer.errors import DatabaseUnavailable, StorageUnavailable
from consumer.supervision.health import Health, Work
from tests.support.consumer_fakes import FakeQueue, play
from tests.support.shop import Shop, taking


def test_what_the_start_waits_for_makes_it_unready_and_not_unhealthy() -> None:
    async def story() -> None:
        health, queue = Health(), FakeQueue()
        queue.failures["depth"] = [StorageUnavailable("SQS is away")] * 3
        assert (None, "starting") == (await health.healthz(), await health.readyz())
        asking = asyncio.create_task(health.once_reachable(queue.depth))
        await asyncio.sleep(1)
        assert None is await health.healthz()
        assert "storage_unavailable: SQS is away" == await health.readyz()
        assert 0 == (await asking).total
        assert "starting" == await health.readyz()

    play(story())


def test_once_there_is_work_its_breakers_and_leases_tell() -> None:
    async def story() -> None:
        shop, health = Shop(FakeQueue(), taking(0)), Health()
        health.begin(Work(shop.leases, shop.breakers, shop._probe))
        assert (None, None) == (await health.healthz(), await health.readyz())
        shop.down = DatabaseUnavailable("gone")
        assert (None, "gone") == (await health.healthz(), await health.readyz())
        shop.outage_breaker.trip(shop.down)
        assert "database_unavailable: gone" == await health.readyz()
        await asyncio.sleep(60)
        assert "leases are not extended in time" == await health.healthz()
        health.end()
        assert (None, "stopping") == (await health.healthz(), await health.readyz())

    play(story())
