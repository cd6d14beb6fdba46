"""A daemon that was restarted knows the lake's answers by one object, and asks for none of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from producer import app
from producer.lease_table import LEASE_TABLE_KEY, Tagged
from producer.metrics import Metrics
from producer.pulling.digests import DIGESTS_KEY
from producer.settings import Settings
from producer.tally import Tally
from tests.support.producer_fakes import FakeLake, FakeLeaseTable
from tests.support.pulling import ONE_TARGET, ScriptedErp


class FakeTables:
    """Keeps the objects that are changed by conditional writes."""

    def __init__(self) -> None:
        self.by_key = {key: FakeLeaseTable(key) for key in (LEASE_TABLE_KEY, DIGESTS_KEY)}

    async def read_tagged(self, key: str) -> Tagged:
        """Give one of them."""
        return await self.by_key[key].read_tagged(key)

    async def write_if(self, key: str, body: bytes, tag: str | None) -> bool:
        """Replace one of them."""
        return await self.by_key[key].write_if(key, body, tag)


def opened(found: Any) -> Any:
    """Return what opens something that is there already."""

    @asynccontextmanager
    async def give(*_: Any, **__: Any) -> AsyncIterator[Any]:
        yield found

    return give


async def test_the_first_round_after_a_restart_looks_at_no_answer(
    lake: FakeLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = FakeTables()
    monkeypatch.setattr(app, "open_erp", opened(ScriptedErp()))
    monkeypatch.setattr(app, "_announced_lake", opened(lake))
    monkeypatch.setattr(app, "open_lake", opened(tables))
    settings = Settings.model_construct(
        pull_concurrency=1, pull_stop_after_failures=9, pull_skip_after_failures=9, pull_gzip=False
    )

    async def restarted() -> Tally:
        tally = Tally(0)
        async with app._open_round(settings, lambda _: ONE_TARGET, Metrics()) as pull_round:
            assert await pull_round(tally)
        return tally

    assert 1 == (await restarted()).stored
    assert 1 == (await restarted()).unchanged
    assert [] == lake.looked_at
    tables.by_key[DIGESTS_KEY].body = None
    assert 1 == (await restarted()).unchanged
    assert 1 == len(lake.looked_at)
