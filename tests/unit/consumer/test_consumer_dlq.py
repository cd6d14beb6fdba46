"""Looking at, replaying and purging dead letters, in virtual time."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumer.dlq import DeadLetter, Filters, delete, move, read_letter, select
from consumer.errors import StorageUnavailable
from schemas.codes import ErrorCode
from tests.unit.consumer.fakes import FakeQueue, announcing, delivery, now, play

FAILED_AT = datetime(2024, 6, 1, 12, tzinfo=UTC)


def reason(
    key: str = "raw/erp/a.json", code: str = "json_malformed", hours: int = 0
) -> Mapping[str, str]:
    return {
        "ErrorCode": code,
        "ErrorMessage": "broken",
        "ErrorLogKey": "logs/errors/erp/x.json",
        "ObjectKey": key,
        "FailedAt": (FAILED_AT + timedelta(hours=hours)).isoformat(),
        "Attempts": "3",
    }


def parked(*letters: Mapping[str, str]) -> FakeQueue:
    """Give a dead-letter queue that holds these."""
    queue = FakeQueue(visibility_seconds=60)
    for attributes in letters:
        queue.put(announcing(attributes.get("ObjectKey", "raw/erp/redriven.json")), attributes)
    return queue


async def found(queue: FakeQueue, **filters: Any) -> list[str]:
    async with aclosing(select(queue, Filters(**filters))) as letters:
        return [letter.id async for letter in letters]


def visible(queue: FakeQueue) -> list[str]:
    return [m.message_id for m in queue.messages.values() if m.visible_at <= now()]


def test_a_letter_says_why_it_was_parked() -> None:
    letter = read_letter(delivery(attributes=reason(), message_id="m9"))
    assert letter.as_json() == {
        "id": "m9",
        "error_code": "json_malformed",
        "error_message": "broken",
        "error_log_key": "logs/errors/erp/x.json",
        "object_key": "raw/erp/a.json",
        "failed_at": "2024-06-01T12:00:00+00:00",
        "attempts": 3,
    }


def test_a_redriven_letter_has_no_reason_and_its_object_is_read_from_its_body() -> None:
    letter = read_letter(delivery(announcing("raw/erp/café 1.json")))
    assert letter.error_code == ErrorCode.INTERNAL
    assert letter.object_key == "raw/erp/café 1.json"
    assert letter.failed_at is None
    assert letter.attempts == 0


@pytest.mark.parametrize("body", ["", "not json", "[]", '{"Event": "s3:TestEvent"}'])
@pytest.mark.parametrize("attributes", [{}, {"FailedAt": "soon", "Attempts": "many"}])
def test_whatever_lies_in_the_queue_can_be_looked_at(body: str, attributes: dict[str, str]) -> None:
    """One odd message must not hide all others from their operator."""
    letter = read_letter(delivery(body, attributes=attributes))
    assert (letter.object_key, letter.failed_at, letter.attempts) == ("", None, 0)


def test_a_time_without_zone_is_utc() -> None:
    letter = read_letter(delivery(attributes={"FailedAt": "2024-06-01T12:00:00"}))
    assert letter.failed_at == FAILED_AT


LETTERS: tuple[Mapping[str, str], ...] = (
    reason("raw/erp/a.json", "json_malformed", hours=0),
    reason("raw/erp/b.json", "schema_invalid", hours=1),
    reason("raw/api_responses/x.json", "json_malformed", hours=2),
    {},
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["m1", "m2", "m3", "m4"]),
        ({"error_code": ErrorCode.JSON_MALFORMED}, ["m1", "m3"]),
        ({"error_code": ErrorCode.INTERNAL}, ["m4"]),
        ({"key_prefix": "raw/erp/"}, ["m1", "m2", "m4"]),
        ({"since": FAILED_AT + timedelta(hours=1)}, ["m2", "m3"]),
        ({"ids": ("m2", "m4", "m99")}, ["m2", "m4"]),
        ({"limit": 2}, ["m1", "m2"]),
        ({"error_code": ErrorCode.JSON_MALFORMED, "limit": 1}, ["m1"]),
        ({"error_code": ErrorCode.JSON_MALFORMED, "key_prefix": "raw/api"}, ["m3"]),
        ({"error_code": ErrorCode.DATA_REJECTED}, []),
    ],
)
def test_all_conditions_of_a_filter_must_hold(filters: dict[str, Any], expected: list[str]) -> None:
    async def story() -> None:
        queue = parked(*LETTERS)
        assert await found(queue, **filters) == expected
        assert visible(queue) == ["m1", "m2", "m3", "m4"]

    play(story())


def test_looking_sees_each_of_many_once_and_gives_all_back() -> None:
    async def story() -> None:
        queue = parked(*[reason()] * 37)
        assert sorted(await found(queue)) == sorted(queue.messages)
        assert len(visible(queue)) == 37

    play(story())


def test_what_came_along_with_a_limited_look_is_given_back_too() -> None:
    """SQS hands out ten at a time: the other nine were looked for by nobody."""

    async def story() -> None:
        queue = parked(*[reason()] * 10)
        assert await found(queue, limit=1) == ["m1"]
        assert len(visible(queue)) == 10

    play(story())


def test_a_look_that_outlasts_its_leases_shows_nothing_twice_and_gives_all_back() -> None:
    """The race: after five minutes, what was seen first is received again."""

    async def story() -> None:
        queue = parked(*[reason()] * 25)
        seen = []
        async with aclosing(select(queue, Filters())) as letters:
            async for letter in letters:
                seen.append(letter.id)
                await asyncio.sleep(40)
        assert sorted(seen) == sorted(queue.messages)
        assert len(visible(queue)) == 25

    play(story())


def test_replaying_sends_before_it_deletes_and_without_the_old_reason() -> None:
    async def story() -> None:
        dead, main = parked(*LETTERS), FakeQueue()
        bodies = [message.body for message in dead.messages.values()]
        order: list[str] = []
        for queue, name in ((main, "send"), (dead, "delete")):
            queue.calls = Journal(order, name)
        letters = select(dead, Filters())
        moved = [letter async for letter in move(letters, dead, main, None)]
        assert [letter.id for letter in moved] == ["m1", "m2", "m3", "m4"]
        assert order == ["send", "delete"] * 4
        assert [message.body for message in main.messages.values()] == bodies
        assert {len(message.attributes) for message in main.messages.values()} == {0}
        assert dead.messages == {}

    play(story())


class Journal(list[Any]):
    """Notes the calls of one name, in common order with another queue's."""

    def __init__(self, order: list[str], name: str) -> None:
        super().__init__()
        self._order, self._name = order, name

    def append(self, call: Any) -> None:
        if call.name == self._name:
            self._order.append(call.name)
        super().append(call)


def test_what_does_not_match_stays_and_is_visible_at_once() -> None:
    async def story() -> None:
        dead, main = parked(*LETTERS), FakeQueue()
        letters = select(dead, Filters(error_code=ErrorCode.JSON_MALFORMED))
        assert len([letter async for letter in move(letters, dead, main, None)]) == 2
        assert visible(dead) == ["m2", "m4"]
        assert len(main.messages) == 2

    play(story())


@pytest.mark.parametrize("queue_name", ["main", "dead"])
@pytest.mark.parametrize("call", ["send", "delete", "receive", "change_visibility"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_replay_that_fails_anywhere_loses_nothing_and_can_be_repeated(
    queue_name: str, call: str, after: int
) -> None:
    async def story() -> None:
        dead, main = parked(*LETTERS), FakeQueue()
        bodies = {message.body for message in dead.messages.values()}
        failing = main if queue_name == "main" else dead
        if after:
            await failing.depth()
        failing.failures[call] = [StorageUnavailable("away")]

        async def replay() -> list[DeadLetter]:
            letters = select(dead, Filters())
            return [letter async for letter in move(letters, dead, main, None)]

        try:
            await replay()
        except StorageUnavailable:
            assert visible(dead) == list(dead.messages)
        failing.failures.clear()
        await replay()
        await asyncio.sleep(301)
        await replay()
        assert {message.body for message in main.messages.values()} == bodies
        assert len(main.messages) <= len(bodies) + 1
        assert dead.messages == {}

    play(story())


@pytest.mark.parametrize("moment", [0.5, 1.5, 2.5, 3.5, 4.5, 6.5, 8.5])
def test_a_replay_interrupted_at_any_moment_loses_nothing_and_gives_back_at_once(
    moment: float,
) -> None:
    """The race: control-C while it receives, between sending and deleting, or while it waits."""

    async def story() -> None:
        dead, main = parked(*LETTERS), FakeQueue()
        bodies = {message.body for message in dead.messages.values()}
        main.latency_seconds["send"] = 1
        dead.latency_seconds["delete"] = 1
        dead.latency_seconds["receive"] = 1

        async def replay() -> None:
            letters = select(dead, Filters())
            async with aclosing(move(letters, dead, main, None)) as moving:
                async for _ in moving:
                    pass

        task = asyncio.create_task(replay())
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert visible(dead) == list(dead.messages)
        left = {message.body for message in dead.messages.values()}
        assert left | {message.body for message in main.messages.values()} == bodies

    play(story())


def test_a_rate_is_kept_on_the_whole() -> None:
    async def story() -> None:
        dead, main = parked(*[reason()] * 12), FakeQueue()
        moving = move(select(dead, Filters()), dead, main, 2.0)
        sent_at = [now() async for _ in moving]
        assert sent_at == pytest.approx([number / 2 for number in range(12)])

    play(story())


def test_purging_deletes_what_is_meant_and_counts_what_could_not_be() -> None:
    async def story() -> None:
        queue = parked(*[reason()] * 13)
        queue.refused["m3"] = RuntimeError("InternalError")
        async with aclosing(select(queue, Filters())) as letters:
            failed = [
                await delete(queue, [letter]) async for letter in letters if letter.id != "m5"
            ]
        assert sum(failed) == 1
        assert list(queue.messages) == ["m3", "m5"]

    play(story())
