"""How much may fail before nothing more is dead-lettered, and how that ends. In virtual time."""

import asyncio
from collections.abc import Iterable

import pytest

from consumer.errors import Internal, Permanent
from consumer.ingest.outcome import Done, Failed
from consumer.messages.failure_breaker import BurstLimits, FailureBreaker
from consumer.messages.settlement import Retry, Settle
from schemas.codes import ErrorCode, State
from tests.support.consumer_fakes import now, play

LOADED = Settle(done=(Done(State.LOADED),))
IGNORED = Settle(done=(Done(State.IGNORED),))
BAD = Settle(dead_lettered=(Failed(Permanent(ErrorCode.SCHEMA_INVALID, "renamed")),))
BUG = Retry(2, (Failed(Internal("KeyError")),))
TEN = BurstLimits(10, 50, 300)


def feed(breaker: FailureBreaker, decisions: Iterable[Settle | Retry]) -> bool:
    """Let it see what was decided; say whether it suspends the work."""
    for decision in decisions:
        breaker.observe(decision, was_dead_lettered=False)
    return breaker.is_open


def mostly_loaded(flag: object) -> Settle:
    error = Permanent(ErrorCode.RECORDS_INVALID, "1 of 9")
    return Settle(dead_lettered=(Failed(error, is_mostly_loaded=bool(flag)),))


@pytest.mark.parametrize("failure", [BAD, BUG, mostly_loaded(flag=False)])
def test_a_burst_of_failures_suspends_the_work_and_says_what_to_do(failure: Settle | Retry) -> None:
    async def story() -> None:
        breaker = FailureBreaker(TEN)
        assert not feed(breaker, [failure] * 9)
        assert (breaker.reason, breaker.allowance(10)) == (None, 10)
        assert feed(breaker, [failure])
        assert breaker.reason is not None
        assert "10 of 10 objects failed" in breaker.reason
        assert "FAILURE_BURST_MIN_OBJECTS=0" in breaker.reason
        assert breaker.allowance(10) == 0

    play(story())


def test_five_percent_of_broken_documents_never_do() -> None:
    async def story() -> None:
        breaker = FailureBreaker(BurstLimits(50, 50, 300))
        for number in range(5000):
            assert not feed(breaker, [BAD if number % 20 == 0 else LOADED])
            await asyncio.sleep(0.05)

    play(story())


def test_documents_of_which_most_records_load_are_no_failures() -> None:
    async def story() -> None:
        assert not feed(FailureBreaker(TEN), [mostly_loaded(flag=True)] * 100)

    play(story())


def test_documents_whose_like_was_never_loaded_are_neither_counted_nor_held() -> None:
    """Somebody's first files: all may be bad, and good ones behind them still load."""
    newcomer = Settle(dead_lettered=(Failed(BAD.dead_lettered[0].error, is_newcomer=True),))
    assert (BAD.suspicious, newcomer.suspicious) == (BAD.dead_lettered, ())

    async def story() -> None:
        breaker = FailureBreaker(TEN)
        assert not feed(breaker, [newcomer] * 1000)
        assert feed(breaker, [BAD] * 10)
        # As probes they say nothing either way: three good ones still end the burst.
        assert not feed(breaker, [newcomer, LOADED, newcomer, LOADED, LOADED])

    play(story())


def test_replays_count_neither_way() -> None:
    """An operator who replays a DLQ full of bad messages stops nobody, and proves nothing."""

    async def story() -> None:
        breaker = FailureBreaker(TEN)
        for _ in range(1000):
            breaker.observe(BAD, was_dead_lettered=True)
            breaker.observe(LOADED, was_dead_lettered=True)
        assert not breaker.is_open
        assert feed(breaker, [BAD] * 10)

    play(story())


def test_failures_that_are_long_ago_do_not_count() -> None:
    async def story() -> None:
        breaker = FailureBreaker(TEN)
        for _ in range(50):
            assert not feed(breaker, [BAD])
            await asyncio.sleep(40)

    play(story())


def test_test_events_and_retries_of_outages_count_neither_way() -> None:
    async def story() -> None:
        outage = Retry(2, (Failed(Permanent(ErrorCode.OBJECT_MISSING, "not yet")),))
        assert not feed(FailureBreaker(TEN), [IGNORED, outage] * 100)

    play(story())


def test_it_can_be_switched_off() -> None:
    async def story() -> None:
        breaker = FailureBreaker(BurstLimits(0, 50, 300), begins_cautious=True)
        assert not feed(breaker, [BAD] * 1000)
        assert breaker.allowance(10) == 10

    play(story())


async def probes(
    breaker: FailureBreaker, seconds: float, answer: Settle, step_seconds: float = 1
) -> list[float]:
    """Take every probe that is allowed for a while; return when."""
    until, times = now() + seconds, []
    while now() < until:
        if breaker.allowance(10):
            times.append(now())
            breaker.observe(answer, was_dead_lettered=False)
        await asyncio.sleep(step_seconds)
    return times


def test_probes_are_single_and_come_ever_more_seldom_while_they_fail() -> None:
    async def story() -> None:
        breaker = FailureBreaker(TEN)
        feed(breaker, [BAD] * 10)
        await asyncio.sleep(31)
        assert breaker.allowance(10) == 1
        assert breaker.allowance(10) == 0
        breaker.observe(BAD, was_dead_lettered=False)
        times = await probes(breaker, 24 * 3600, BAD, 10)
        assert 90 <= len(times) <= 110
        assert times[-1] - times[-2] == pytest.approx(900, abs=11)

    play(story())


def test_three_probes_in_a_row_that_load_end_it() -> None:
    async def story() -> None:
        breaker = FailureBreaker(TEN)
        feed(breaker, [BAD] * 10)
        resumed = asyncio.create_task(breaker.wait_closed())
        for answer in (LOADED, LOADED, BAD, LOADED, IGNORED, LOADED):
            assert feed(breaker, [answer])
        assert not resumed.done()
        assert not feed(breaker, [LOADED])
        await resumed
        assert (breaker.reason, breaker.allowance(10)) == (None, 10)

    play(story())


def test_a_probe_that_loads_makes_the_next_one_come_at_once() -> None:
    async def story() -> None:
        breaker = FailureBreaker(TEN)
        feed(breaker, [BAD] * 10)
        times = await probes(breaker, 60, LOADED)
        assert times[2] - times[0] == 2
        assert not breaker.is_open

    play(story())


def test_an_empty_queue_does_not_use_up_the_probe() -> None:
    async def story() -> None:
        breaker = FailureBreaker(TEN)
        feed(breaker, [BAD] * 10)
        await asyncio.sleep(31)
        assert breaker.allowance(10) == 1
        breaker.no_probe_came()
        assert breaker.allowance(10) == 1

    play(story())


def test_a_burst_soon_after_another_is_probed_later_than_the_first() -> None:
    """Half of the objects fail: what ends one suspension would otherwise end each of them soon."""

    async def story() -> None:
        breaker = FailureBreaker(TEN)
        pauses = []
        for _ in range(4):
            feed(breaker, [BAD] * 10)
            begun = now()
            while not breaker.allowance(1):
                await asyncio.sleep(1)
            pauses.append(now() - begun)
            feed(breaker, [LOADED] * 3)
        assert pauses == [30, 60, 120, 240]

    play(story())


def test_a_start_after_a_burst_lets_one_message_through_and_dead_letters_none() -> None:
    """A platform that restarts the unhealthy must not drain the queue a burst at a time."""

    async def story() -> None:
        breaker = FailureBreaker(TEN, begins_cautious=True)
        assert (breaker.reason, breaker.is_open) == (None, False)
        assert (breaker.allowance(10), breaker.allowance(10)) == (1, 0)
        assert feed(breaker, [BAD])
        assert breaker.reason is not None
        assert "after a former burst" in breaker.reason

    play(story())


def test_a_start_after_a_burst_goes_on_as_usual_once_it_is_over() -> None:
    async def story() -> None:
        breaker = FailureBreaker(TEN, begins_cautious=True)
        breaker.observe(BAD, was_dead_lettered=True)
        assert not feed(breaker, [LOADED] * 3)
        assert breaker.allowance(10) == 10
        assert not feed(breaker, [BAD] * 9)

    play(story())


def test_what_is_remembered_is_bounded_whatever_the_traffic() -> None:
    async def story() -> None:
        breaker = FailureBreaker(BurstLimits(10**5, 100, 300))
        for _ in range(2000):
            feed(breaker, [BAD, LOADED])
            await asyncio.sleep(0.5)
        assert breaker._ended.total() <= 1204
        assert len(breaker._window) <= 302

    play(story())
