"""Of two producers, one has a store, and what a killed one had is free again."""

import asyncio
import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from producer.errors import LakeUnavailable, LeaseLost
from producer.lease_table import Leases
from tests.support.producer_fakes import FakeLeaseTable

LEASE_SECONDS = 30.0
A_LONG_TIME = timedelta(seconds=LEASE_SECONDS + 1)


def producer(
    lease_table: FakeLeaseTable, name: str, lease_seconds: float = LEASE_SECONDS
) -> Leases:
    return Leases(lease_table, name, lease_seconds)


async def test_a_store_is_had_by_one_of_two_and_free_afterwards() -> None:
    lease_table = FakeLeaseTable()
    first, second = producer(lease_table, "first"), producer(lease_table, "second")
    async with first.held(("São João", "001")) as ours:
        assert ours == ("São João", "001")
        with capture_logs() as logs:
            async with second.held(("001", "99 CB CB")) as theirs:
                assert theirs == ("99 CB CB",)
        assert [(log["event"], log["stores"]) for log in logs] == [
            ("stores_leased_elsewhere", ["001"])
        ]
    async with second.held(("001", "São João")) as theirs:
        assert theirs == ("001", "São João")
    assert json.loads(lease_table.body or b"") == {}


async def test_of_two_that_write_at_once_the_second_looks_again() -> None:
    """The race: both have seen an empty lease table."""
    lease_table = FakeLeaseTable()
    first, second = producer(lease_table, "first"), producer(lease_table, "second")
    lease_table.meanwhile = lambda: second._claim(("001",))
    async with first.held(("001", "002")) as ours:
        assert ours == ("002",)
        second.check("001")


async def test_what_a_killed_producer_had_is_free_when_its_time_is_over() -> None:
    lease_table = FakeLeaseTable()
    await producer(lease_table, "killed")._claim(("001",))
    other = producer(lease_table, "other")
    for waited, expected in ((timedelta(seconds=LEASE_SECONDS - 1), ()), (A_LONG_TIME, ("001",))):
        lease_table.now = lease_table.now + waited
        async with other.held(("001",)) as ours:
            assert ours == expected


async def test_a_claim_is_renewed_while_the_round_goes_on() -> None:
    """The race: the round takes longer than the lease."""
    lease_table = FakeLeaseTable()
    holder, other = producer(lease_table, "holder", 0.03), producer(lease_table, "other")
    async with holder.held(("001",)):
        before = lease_table.body
        lease_table.now += timedelta(seconds=0.02)
        async with asyncio.timeout(10):
            while lease_table.body == before:
                await asyncio.sleep(0.001)
        lease_table.now += timedelta(seconds=0.02)
        async with other.held(("001",)) as theirs:
            assert theirs == ()


async def test_who_could_not_renew_in_time_gives_its_stores_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The race: a process that stood still goes on while another has its stores already."""
    lease_table, clock = FakeLeaseTable(), [1000.0]
    monkeypatch.setattr("producer.lease_table.time.monotonic", lambda: clock[0])
    stalled, other = producer(lease_table, "stalled"), producer(lease_table, "other")
    async with stalled.held(("001", "002")):
        stalled.check("001")
        with pytest.raises(LeaseLost, match="the next round asks again"):
            stalled.check("003")
        # A second before anybody else may have it: S3 tells its time in whole seconds.
        clock[0] += LEASE_SECONDS - 0.5
        with pytest.raises(LeaseLost):
            stalled.check("001")
        clock[0] += 2
        lease_table.now += A_LONG_TIME
        async with other.held(("001",)) as theirs:
            assert theirs == ("001",)
            await stalled._claim(("001", "002"))
            stalled.check("002")
            with pytest.raises(LeaseLost):
                stalled.check("001")


async def test_a_lake_that_is_away_refuses_the_round_but_not_its_end() -> None:
    lease_table = FakeLeaseTable()
    holder = producer(lease_table, "holder")
    async with holder.held(("001",)):
        lease_table.error = LakeUnavailable("S3 is away")
    with pytest.raises(LakeUnavailable, match="S3 is away"):
        async with holder.held(("001",)):
            raise AssertionError("nothing is held")


async def test_a_renewal_that_fails_is_told_and_tried_again() -> None:
    lease_table = FakeLeaseTable()
    holder = producer(lease_table, "holder", 0.03)
    with capture_logs() as logs:
        async with holder.held(("001",)):
            lease_table.error = LakeUnavailable("S3 is away")
            async with asyncio.timeout(10):
                while sum(log["event"] == "lease_not_renewed" for log in logs) < 2:
                    await asyncio.sleep(0.001)
            lease_table.error, before = None, lease_table.tag
            async with asyncio.timeout(10):
                while lease_table.tag == before:
                    await asyncio.sleep(0.001)
            assert list(json.loads(lease_table.body or b"{}")) == ["holder"]


async def test_a_broken_lease_table_is_written_anew() -> None:
    for broken in (b"{", b"[]", b'{"x": 1}', b'{"x": {"until": "soon", "stores": []}}', b"\xff"):
        lease_table = FakeLeaseTable()
        lease_table.body, lease_table.tag = broken, "t"
        async with producer(lease_table, "any").held(("001",)) as ours:
            assert ours == ("001",)
            assert list(json.loads(lease_table.body)) == ["any"]


async def test_a_lease_table_that_never_stands_still_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("producer.lease_table._LONGEST_PAUSE_SECONDS", 0)
    lease_table = FakeLeaseTable()

    async def refuse(_key: str, _body: bytes, _tag: str | None) -> bool:
        return False

    lease_table.write_if = refuse  # type: ignore[method-assign]  # this lake takes no write
    with pytest.raises(LakeUnavailable, match="changed by others at every attempt"):
        await producer(lease_table, "any")._claim(("001",))
