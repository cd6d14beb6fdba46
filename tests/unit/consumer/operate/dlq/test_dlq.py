"""Looking at and purging dead letters, in virtual time."""

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from consumer.errors import StorageUnavailable
from consumer.operate.dlq.dead_letters import Filters
from consumer.operate.dlq.queue import purge, select
from schemas.codes import ErrorCode
from tests.support.consumer_fakes import play
from tests.support.dead_letter_queue import (
    DEAD_LETTERS,
    FAILED_AT,
    dead_lettered,
    found,
    reason,
    visible,
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["m1", "m2", "m3", "m4"]),
        ({"error_code": ErrorCode.JSON_MALFORMED}, ["m1", "m3"]),
        ({"error_code": ErrorCode.INTERNAL}, ["m4"]),
        ({"key_prefix": "raw/erp/"}, ["m1", "m2", "m4"]),
        ({"since": FAILED_AT + timedelta(hours=1)}, ["m2", "m3"]),
        ({"ids": frozenset(("m2", "m4", "m99"))}, ["m2", "m4"]),
        ({"limit": 2}, ["m1", "m2"]),
        ({"error_code": ErrorCode.JSON_MALFORMED, "limit": 1}, ["m1"]),
        ({"error_code": ErrorCode.JSON_MALFORMED, "key_prefix": "raw/api"}, ["m3"]),
        ({"error_code": ErrorCode.DATA_REJECTED}, []),
    ],
)
def test_all_conditions_of_a_filter_must_hold(filters: dict[str, Any], expected: list[str]) -> None:
    async def story() -> None:
        queue = dead_lettered(*DEAD_LETTERS)
        assert await found(queue, **filters) == expected
        assert visible(queue) == ["m1", "m2", "m3", "m4"]

    play(story())


def test_looking_sees_each_of_many_once_and_gives_all_back() -> None:
    async def story() -> None:
        queue = dead_lettered(*[reason()] * 37)
        assert sorted(await found(queue)) == sorted(queue.messages)
        assert len(visible(queue)) == 37

    play(story())


def test_what_came_along_with_a_limited_look_is_given_back_too() -> None:
    """SQS hands out ten at a time: the other nine were looked for by nobody."""

    async def story() -> None:
        queue = dead_lettered(*[reason()] * 10)
        assert await found(queue, limit=1) == ["m1"]
        assert len(visible(queue)) == 10

    play(story())


def test_a_look_that_outlasts_its_leases_shows_nothing_twice_and_gives_all_back() -> None:
    """The race: after five minutes, what was seen first is received again."""

    async def story() -> None:
        queue = dead_lettered(*[reason()] * 25)
        seen = []
        async with aclosing(select(queue, Filters(), 1)) as groups:
            async for [dead_letter] in groups:
                seen.append(dead_letter.id)
                await asyncio.sleep(40)
        assert sorted(seen) == sorted(queue.messages)
        assert len(visible(queue)) == 25

    play(story())


def test_a_look_ends_although_others_are_given_back_all_the_time() -> None:
    """What was seen comes again and again once its lease ran out; that is no reason to go on."""

    async def story() -> None:
        dead = dead_lettered(*[reason()] * 3)
        dead.latency_seconds["receive"] = 61
        assert sorted(await found(dead)) == ["m1", "m2", "m3"]

    play(story())


def test_purging_deletes_what_is_meant_and_tells_what_was_deleted() -> None:
    async def story() -> None:
        queue = dead_lettered(*[reason()] * 13, reason(code="schema_invalid"))
        queue.refused["m3"] = RuntimeError("InternalError")
        filters = Filters(error_code=ErrorCode.JSON_MALFORMED)
        purged = [dead_letter.id async for dead_letter in purge(queue, filters)]
        assert sorted([*purged, "m3", "m14"]) == sorted(f"m{number}" for number in range(1, 15))
        assert list(queue.messages) == ["m3", "m14"]

    play(story())


def test_a_purge_that_fails_gives_back_what_it_did_not_delete() -> None:
    async def story() -> None:
        queue = dead_lettered(*[reason()] * 13)
        queue.failures["delete"] = [StorageUnavailable("away")]
        with pytest.raises(StorageUnavailable):
            await anext(purge(queue, Filters()))
        assert len(visible(queue)) == 13

    play(story())
