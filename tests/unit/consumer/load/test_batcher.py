"""Batches in virtual time: who shares one, when it is full, and who fails with it."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain

import pytest

from consumer.errors import (
    AccessDenied,
    ConsumerError,
    DatabaseUnavailable,
    Internal,
    LeaseLost,
)
from consumer.load.batcher import Batcher, BatchLimits
from consumer.load.document import ChangedMeanwhile, LoadRequest
from schemas.codes import ErrorCode, State
from tests.support.batching import REJECTED, Database, document, loading
from tests.support.consumer_fakes import now, play


async def ends(loader: Batcher, *documents: LoadRequest) -> list[State | BaseException]:
    return await asyncio.gather(*map(loader.load, documents), return_exceptions=True)


def test_neighbours_share_a_batch() -> None:
    async def story() -> None:
        database = Database()
        async with loading(database) as loader:
            assert await ends(loader, *map(document, "abc")) == [State.LOADED] * 3
        assert database.batches == [["a", "b", "c"]]

    play(story())


def test_a_document_waits_no_longer_than_it_may() -> None:
    async def story() -> None:
        database = Database()
        async with loading(database, wait=0.5) as loader:

            async def late() -> None:
                await asyncio.sleep(0.4)
                await loader.load(document("late"))

            await asyncio.gather(loader.load(document("a")), late())
            assert database.started_at == [0.5]
            await loader.load(document("b"))
        assert database.batches == [["a", "late"], ["b"]]

    play(story())


def test_a_full_batch_does_not_wait() -> None:
    async def story(**limits: int) -> list[list[str]]:
        database = Database()
        async with loading(database, wait=100, **limits) as loader:
            await ends(loader, document("a", 3), document("b", 3), document("c", 3), document("d"))
            assert now() < 1 or len(database.batches) > 1
        return database.batches

    size = document("a", 3).document.rows.byte_count
    assert play(story(rows=6)) == [["a", "b"], ["c", "d"]]
    assert play(story(size=2 * size)) == [["a", "b"], ["c", "d"]]
    assert play(story(rows=1)) == [["a"], ["b"], ["c"], ["d"]]


def test_two_events_of_one_object_version_go_to_two_batches() -> None:
    """One statement cannot write one ledger row twice."""

    async def story() -> None:
        database = Database()
        async with loading(database, concurrency=2) as loader:
            documents = [document("a"), document("b"), document("a"), document("c"), document("a")]
            assert await ends(loader, *documents) == [State.LOADED] * 5
        assert all(len(batch) == len(set(batch)) for batch in database.batches)
        assert sorted(chain.from_iterable(database.batches)) == ["a", "a", "a", "b", "c"]

    play(story())


def test_two_versions_of_one_object_may_share_a_batch() -> None:
    async def story() -> None:
        database = Database()
        async with loading(database) as loader:
            await ends(loader, document("a", number=1), document("a", number=2))
        assert database.batches == [["a", "a"]]

    play(story())


@pytest.mark.parametrize("bad", [[0], [3], [6], [0, 6], [2, 3], list(range(7))])
def test_the_culprits_of_a_rejected_batch_stand_alone_and_the_others_commit(
    bad: list[int],
) -> None:
    async def story() -> None:
        database = Database()
        names = [f"bad{n}" if n in bad else f"good{n}" for n in range(7)]
        async with loading(database) as loader:
            found = await ends(loader, *map(document, names))
        assert [end is State.LOADED for end in found] == [n not in bad for n in range(7)]
        assert all(end is REJECTED for end in found if end is not State.LOADED)

    play(story())


def test_only_documents_whose_unread_records_changed_go_back_to_be_read() -> None:
    """The others commit, though one of them is rejected."""

    async def story() -> None:
        database = Database()
        names = ["a", "stale1", "bad", "stale2", "b"]
        async with loading(database) as loader:
            first, one, bad, two, last = await ends(loader, *map(document, names))
        assert (State.LOADED, State.LOADED, REJECTED) == (first, last, bad)
        assert isinstance(one, ChangedMeanwhile)
        assert isinstance(two, ChangedMeanwhile)
        assert database.batches == [names, ["a", "bad", "b"], ["a"], ["bad", "b"], ["bad"], ["b"]]

    play(story())


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (DatabaseUnavailable("down"), ErrorCode.DATABASE_UNAVAILABLE),
        (AccessDenied("revoked"), ErrorCode.ACCESS_DENIED),
    ],
)
def test_an_outage_fails_all_at_once_and_the_loader_goes_on(
    failure: Exception, code: ErrorCode
) -> None:
    async def story() -> None:
        database = Database()
        database.failure = failure
        async with loading(database) as loader:
            found = await ends(loader, *map(document, "abc"))
            assert [end.code for end in found if isinstance(end, ConsumerError)] == [code] * 3
            assert database.batches == [["a", "b", "c"]]
            database.failure = None
            assert await loader.load(document("d")) == State.LOADED

    play(story())


@pytest.mark.parametrize("failure", [Internal("bug"), None])
def test_a_bug_that_one_document_meets_is_not_its_neighbours_fault(
    failure: Internal | None,
) -> None:
    """They would all be retried, and end in the DLQ with it."""

    async def story() -> None:
        database = Database()
        if failure:
            database.failure = failure
        async with loading(database) as loader:
            found = await ends(loader, *map(document, ["a", "bug", "b"]))
            codes = [end.code if isinstance(end, ConsumerError) else end for end in found]
            if failure:
                assert codes == [ErrorCode.INTERNAL] * 3
            else:
                assert codes == [State.LOADED, ErrorCode.INTERNAL, State.LOADED]
            database.failure = None
            assert await loader.load(document("d")) == State.LOADED

    play(story())


def test_a_document_whose_lease_is_lost_before_its_batch_is_not_loaded() -> None:
    async def story() -> None:
        database, lost = Database(), document("lost", is_wanted=lambda: False)
        async with loading(database) as loader:
            waiting = [asyncio.create_task(loader.load(one)) for one in (document("a"), lost)]
            done = await asyncio.gather(*waiting, return_exceptions=True)
        assert done[0] == State.LOADED
        assert isinstance(done[1], LeaseLost)
        assert database.batches == [["a"]]

    play(story())


def test_a_lease_lost_during_its_batch_undoes_it_and_the_others_are_loaded_again() -> None:
    """The race: the lease runs out between the beginning of the transaction and its commit."""

    async def story() -> None:
        database, lost = Database(seconds=5), document("lost", is_wanted=lambda: now() < 3)
        async with loading(database) as loader:
            waiting = [asyncio.create_task(loader.load(one)) for one in (document("a"), lost)]
            done = await asyncio.gather(*waiting, return_exceptions=True)
        assert done[0] == State.LOADED
        assert isinstance(done[1], LeaseLost)
        assert database.batches == [["a", "lost"], ["a"]]

    play(story())


def test_a_document_that_the_database_says_nothing_of_fails_alone() -> None:
    """A bug: the loader must not die of it, or everybody waits for ever."""

    async def story() -> None:
        database = Database()
        forgotten = document("forgotten")

        async def load(requests: Sequence[LoadRequest]) -> dict[int, State]:
            states = await database.load(requests)
            states.pop(forgotten.document.number, None)
            return states

        loader = Batcher(load, BatchLimits(100, 10**9, 0.05), 1)
        task = asyncio.create_task(loader.run())
        async with asyncio.timeout(10):
            found = await ends(loader, document("a"), forgotten)
            assert found[0] == State.LOADED
            assert isinstance(found[1], Internal)
            assert await loader.load(document("b")) == State.LOADED
        task.cancel()

    play(story())


@pytest.mark.parametrize("fate", ["loads", "fails"])
@pytest.mark.parametrize("moment", [0.02, 0.5])
def test_who_stops_waiting_does_not_disturb_the_neighbours(fate: str, moment: float) -> None:
    """The race: cancelled before its batch is complete, or while it is loaded."""

    async def story() -> None:
        database = Database(seconds=1)
        database.failure = DatabaseUnavailable("down") if fate == "fails" else None
        async with loading(database) as loader:
            tasks = [asyncio.create_task(loader.load(document(name))) for name in "abc"]
            await asyncio.sleep(moment)
            tasks[1].cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(found[1], asyncio.CancelledError)
            expected: Callable[[object], bool] = (
                (lambda end: isinstance(end, DatabaseUnavailable))
                if fate == "fails"
                else (lambda end: end is State.LOADED)
            )
            assert expected(found[0])
            assert expected(found[2])

    play(story())


def test_several_transactions_are_under_way_at_once_but_no_more_than_allowed() -> None:
    async def story() -> None:
        database = Database(seconds=1)
        async with loading(database, rows=1, concurrency=3) as loader:
            await ends(loader, *map(document, "abcdef"))
        assert database.started_at == pytest.approx([0, 0, 0, 1, 1, 1], abs=0.01)

    play(story())
