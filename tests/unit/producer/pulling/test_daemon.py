"""Rounds follow each other, never overlap, and end when told to."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import generate_latest

from producer.errors import ErpRefused, LakeClosed
from producer.metrics import Metrics
from producer.pulling.daemon import Daemon
from producer.settings import Settings
from producer.tally import Tally

QUICK_SECONDS = 0.001
SETTINGS = Settings.model_construct(run_stop_timeout_seconds=5)


def daemon(
    pull_round: Callable[[Tally], Awaitable[bool]],
    every_seconds: float = QUICK_SECONDS,
    settings: Settings = SETTINGS,
) -> Daemon:
    return Daemon(pull_round, every_seconds, settings, Metrics())


async def finish(running: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(20):
        await running


async def test_rounds_follow_each_other_and_never_overlap() -> None:
    """The race: a round takes longer than the interval."""
    stop, running, peak, ended = asyncio.Event(), 0, 0, 0

    async def pull_round(tally: Tally) -> bool:
        nonlocal running, peak, ended
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.005)
        running -= 1
        ended += 1
        if ended == 5:
            stop.set()
        return True

    await finish(asyncio.create_task(daemon(pull_round).run(stop)))
    assert (ended, peak, running) == (5, 1, 0)


async def test_told_to_stop_it_finishes_what_is_under_way_and_begins_nothing_new() -> None:
    stop, begun = asyncio.Event(), list[Tally]()

    async def pull_round(tally: Tally) -> bool:
        tally.total = 2
        begun.append(tally)
        stop.set()
        while tally.stopped_by is None:
            await asyncio.sleep(0)
        tally.add_stored(1)
        return True

    await finish(asyncio.create_task(daemon(pull_round).run(stop)))
    assert [(tally.stored, tally.stopped_by) for tally in begun] == [(1, "told to stop")]


async def test_what_does_not_finish_in_time_is_cancelled() -> None:
    stop, cancelled = asyncio.Event(), asyncio.Event()

    async def pull_round(tally: Tally) -> bool:
        tally.total = 1
        stop.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return True

    hasty = Settings.model_construct(run_stop_timeout_seconds=0.01)
    subject = daemon(pull_round, settings=hasty)
    await finish(asyncio.create_task(subject.run(stop)))
    assert cancelled.is_set()


async def test_told_to_stop_between_rounds_it_does_not_wait_for_the_next() -> None:
    stop, ended = asyncio.Event(), asyncio.Event()
    rounds: list[Tally] = []

    async def pull_round(tally: Tally) -> bool:
        rounds.append(tally)
        ended.set()
        return True

    running = asyncio.create_task(daemon(pull_round, every_seconds=3600).run(stop))
    await ended.wait()
    stop.set()
    await finish(running)
    assert len(rounds) == 1


async def test_a_round_that_fails_is_followed_by_the_next_and_told_meanwhile() -> None:
    stop, problems, number = asyncio.Event(), list[str | None](), 0

    async def pull_round(tally: Tally) -> bool:
        nonlocal number
        problems.append(subject.problem)
        number += 1
        if number == 1:
            raise LakeClosed("no bucket")
        tally.total = 2
        tally.add_stored(7)
        if number == 2:
            tally.add_failure({"store": "1"}, ErpRefused("404"))
        else:
            tally.add_unchanged()
        if number == 4:
            tally.total = 5
            tally.add_skipped("store 1")
            tally.add_skipped("store 1")
            stop.set()
        return True

    metrics = Metrics()
    subject = Daemon(pull_round, QUICK_SECONDS, SETTINGS, metrics)
    await finish(asyncio.create_task(subject.run(stop)))
    assert problems == [
        "no round has ended yet",
        "no bucket",
        "1 failed, 0 skipped and 0 not tried of 2: 404",
        None,
    ]
    text = generate_latest(metrics.registry).decode()
    for line in (
        'coco_producer_answers_total{outcome="stored"} 3.0',
        'coco_producer_answers_total{outcome="unchanged"} 2.0',
        'coco_producer_answers_total{outcome="failed"} 1.0',
        'coco_producer_rounds_total{result="complete"} 1.0',
        'coco_producer_rounds_total{result="incomplete"} 3.0',
        "coco_producer_stored_bytes_total 21.0",
        "coco_producer_round_running 0.0",
        'coco_producer_round_missing{reason="failed"} 0.0',
        'coco_producer_round_missing{reason="skipped"} 2.0',
        'coco_producer_round_missing{reason="untried"} 1.0',
    ):
        assert line in text.splitlines()
    assert 0 < (metrics.registry.get_sample_value("coco_producer_round_seconds") or 0) < 60


async def test_a_round_whose_stores_are_all_with_others_is_tried_again_soon() -> None:
    """Not complete and not incomplete: a producer that only stands by is ready."""
    stop, number = asyncio.Event(), 0

    async def pull_round(tally: Tally) -> bool:
        nonlocal number
        number += 1
        if number == 3:
            stop.set()
        return False

    metrics = Metrics()
    quick_leases = Settings.model_construct(run_lease_seconds=0.001)
    subject = Daemon(pull_round, 3600, quick_leases, metrics)
    await finish(asyncio.create_task(subject.run(stop)))
    assert (number, subject.problem) == (3, None)
    lines = generate_latest(metrics.registry).decode().splitlines()
    assert 'coco_producer_rounds_total{result="leased_elsewhere"} 3.0' in lines
    assert 'coco_producer_rounds_total{result="complete"} 0.0' in lines
    assert "coco_producer_last_complete_timestamp_seconds 0.0" in lines


async def test_told_to_stop_before_a_round_has_its_plan_it_begins_nothing() -> None:
    """The race: the signal comes while the leases are taken."""
    stop, stopped_by = asyncio.Event(), list[str | None]()

    async def pull_round(tally: Tally) -> bool:
        stop.set()
        await asyncio.sleep(0.01)
        tally.total = 2
        stopped_by.append(tally.stopped_by)
        return True

    await finish(asyncio.create_task(daemon(pull_round).run(stop)))
    assert stopped_by == ["told to stop"]


async def test_a_bug_ends_the_daemon() -> None:
    async def pull_round(_tally: Tally) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await daemon(pull_round).run(asyncio.Event())
