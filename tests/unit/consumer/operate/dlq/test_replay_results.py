"""What became of replayed messages, in virtual time."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any
from unittest.mock import patch

import pytest

from consumer.operate.dlq.dead_letters import read_dead_letter
from consumer.operate.dlq.replay_results import ObjectResult, ReplayResult, follow
from schemas.envelopes import ObjectEvent
from tests.support.consumer_fakes import FakeQueue, announcing, delivery, now, play

KEY = "raw/erp/a.json"


def end(key: str = KEY, result: str = "loaded", **more: Any) -> ObjectResult:
    """Give an object's end as the ledger tells it."""
    return ObjectResult(key, result, **more)


def replayed(body: str | None = None) -> ReplayResult:
    """Give a message that announces one object, unless told otherwise."""
    return ReplayResult(read_dead_letter(delivery(body or announcing(KEY))))


@pytest.mark.parametrize(
    ("ends", "result", "is_well"),
    [
        ([end("a"), end("b")], "loaded", True),
        ([end("a")], "waiting", False),
        ([end("a"), end("b", "dead_lettered")], "dead_lettered", False),
        ([None, end("b", "dead_lettered")], "waiting", False),
        ([end("a", "superseded"), end("b", "ignored")], "superseded", True),
    ],
)
def test_a_message_of_several_objects_ends_as_the_worst_of_them(
    ends: list[ObjectResult | None], result: str, *, is_well: bool
) -> None:
    message = replayed(announcing("a", "b"))
    for number, one in enumerate(ends):
        if one is not None:
            message.end(number, one)
    assert result == message.result
    assert is_well == all(one.is_well for one in message.objects)


def test_a_message_without_an_object_to_load_ends_at_once() -> None:
    assert replayed('{"Event": "s3:TestEvent"}').result == "ignored"
    nonsense = replayed("nonsense")
    assert nonsense.result == "dead_lettered"
    [shown] = nonsense.shown()["objects"]
    assert shown["error_code"] == "event_malformed"


def test_what_an_operator_sees_names_each_object() -> None:
    message = replayed(announcing("a", "b"))
    message.end(1, end("b", "dead_lettered", error_log_key="logs/errors/x"))
    shown = message.shown()
    assert (shown["id"], shown["result"]) == ("m1", "waiting")
    assert [("a", "waiting"), ("b", "dead_lettered")] == [
        (one["object_key"], one["result"]) for one in shown["objects"]
    ]
    assert shown["objects"][1]["error_log_key"] == "logs/errors/x"


class Ledger:
    """Answers with what ended at a second of the story, or before."""

    def __init__(self, *, drained_at: float = float("inf"), **ended_at: float) -> None:
        self._drained_at = drained_at
        self._ended_at = ended_at

    async def ends(
        self, events: Sequence[ObjectEvent], *, is_drained: bool
    ) -> list[tuple[int, ObjectResult]]:
        assert is_drained == (now() >= self._drained_at)
        return [
            (place, end(event.key))
            for place, event in enumerate(events)
            if self._ended_at.get(event.key, float("inf")) <= now()
        ]


async def ended(messages: Sequence[ReplayResult], ledger: Any, main: Any, timeout: float) -> Any:
    clock = asyncio.get_running_loop().time
    with patch("consumer.operate.dlq.replay_results.monotonic", clock):
        async with aclosing(follow(messages, ledger, main, timeout)) as following:
            return [(now(), count) async for count in following]


def test_waiting_tells_how_many_have_ended_until_all_have() -> None:
    async def story() -> None:
        messages = [replayed(announcing("a")), replayed(announcing("b", "c"))]
        told = await ended(messages, Ledger(a=0, b=1, c=2.5), FakeQueue("waits"), timeout=60)
        assert told == [(0, 1), (1, 1), (2, 1), (3, 2)]

    play(story())


def test_waiting_ends_when_the_time_is_up_and_believes_an_empty_queue_the_fifth_time() -> None:
    async def story() -> None:
        messages = [replayed(announcing("a")), replayed(announcing("b"))]
        told = await ended(messages, Ledger(a=1, drained_at=4), FakeQueue(), timeout=20)
        assert told[-1] == (20, 1)
        assert ["loaded", "waiting"] == [message.result for message in messages]

    play(story())


def test_waiting_for_nothing_takes_no_time() -> None:
    async def story() -> None:
        assert [] == await ended([], Ledger(), FakeQueue(), timeout=20)

    play(story())
