"""What became of replayed messages, from ledger rows alone and in virtual time."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any
from unittest.mock import patch

import pytest

from consumer.operate.dlq.dead_letters import read_dead_letter
from consumer.operate.dlq.replay_results import LedgerRow, ReplayResult, follow
from schemas.envelopes import ObjectEvent, created_body
from tests.support.consumer_fakes import BUCKET, announcing, delivery, now, play

KEY = "raw/erp/a.json"


def row(key: str = KEY, state: str = "loaded", **changed: Any) -> LedgerRow:
    """Give a ledger row that was committed since the replay began."""
    wanted: dict[str, Any] = {
        "bucket": BUCKET,
        "object_key": key,
        "version_id": None,
        "etag": "e1",
        "state": state,
        "error_code": "json_malformed" if state == "dead_lettered" else None,
        "error_message": None,
        "error_log_key": None,
        "is_new": True,
    }
    return LedgerRow(**(wanted | changed))


def replayed(body: str | None = None, **event: Any) -> ReplayResult:
    """Give a message that announces one object, unless told otherwise."""
    announced = ObjectEvent(BUCKET, KEY, "ObjectCreated:Put", **event)
    return ReplayResult(read_dead_letter(delivery(body or created_body(announced))))


@pytest.mark.parametrize(
    ("event", "rows", "result"),
    [
        ({}, [], "waiting"),
        ({}, [row()], "loaded"),
        ({}, [row("raw/erp/b.json")], "waiting"),
        ({}, [row(bucket="another")], "waiting"),
        ({}, [row(is_new=False)], "waiting"),
        ({}, [row(state="dead_lettered", is_new=False), row()], "loaded"),
        ({}, [row(), row(state="dead_lettered")], "dead_lettered"),
        ({"etag": "e1"}, [row()], "loaded"),
        ({"etag": "e2"}, [row()], "waiting"),
        ({"version_id": "v1"}, [row(version_id="v1", etag="other")], "loaded"),
        ({"version_id": "v1", "etag": "e1"}, [row(version_id="v2")], "waiting"),
        ({}, [row(state="superseded")], "superseded"),
        ({}, [row(state="ignored")], "ignored"),
    ],
)
def test_a_row_that_is_new_and_about_the_same_version_is_the_end(
    event: dict[str, Any], rows: list[LedgerRow], result: str
) -> None:
    message = replayed(**event)
    message.learn(rows, drained=False)
    assert result == message.result


def test_what_was_loaded_before_counts_once_the_queue_is_empty() -> None:
    """An outdated event of a loaded object leaves its row as it was."""
    message = replayed()
    message.learn([row(is_new=False)], drained=False)
    assert message.result == "waiting"
    message.learn([row(is_new=False)], drained=True)
    assert message.result == "loaded"


@pytest.mark.parametrize("state", ["dead_lettered", "superseded"])
def test_another_old_row_never_counts(state: str) -> None:
    message = replayed()
    message.learn([row(state=state, is_new=False)], drained=True)
    assert message.result == "waiting"


@pytest.mark.parametrize(
    ("rows", "result"),
    [
        ([row("a"), row("b")], "loaded"),
        ([row("a")], "waiting"),
        ([row("a"), row("b", "dead_lettered")], "dead_lettered"),
        ([row("b", "dead_lettered")], "waiting"),
        ([row("a", "superseded"), row("b", "ignored")], "superseded"),
    ],
)
def test_a_message_of_several_objects_ends_as_the_worst_of_them(
    rows: list[LedgerRow], result: str
) -> None:
    message = replayed(announcing("a", "b"))
    message.learn(rows, drained=False)
    assert result == message.result


def test_a_message_without_an_object_to_load_ends_at_once() -> None:
    assert replayed('{"Event": "s3:TestEvent"}').result == "ignored"
    nonsense = replayed("nonsense")
    assert nonsense.result == "dead_lettered"
    [shown] = nonsense.as_json()["objects"]
    assert shown["error_code"] == "event_malformed"


def test_what_an_operator_sees_names_each_object() -> None:
    message = replayed(announcing("a", "b"))
    message.learn([row("b", "dead_lettered", error_log_key="logs/errors/x")], drained=False)
    shown = message.as_json()
    assert (shown["id"], shown["result"]) == ("m1", "waiting")
    assert [("a", "waiting"), ("b", "dead_lettered")] == [
        (one["object_key"], one["result"]) for one in shown["objects"]
    ]
    assert shown["objects"][1]["error_log_key"] == "logs/errors/x"


class Ledger:
    """Answers with what was committed at a second of the story, or before."""

    def __init__(self, **committed_at: float) -> None:
        self._committed_at = committed_at

    async def ask(self, events: Sequence[ObjectEvent]) -> list[LedgerRow]:
        return [
            row(event.key)
            for event in events
            if self._committed_at.get(event.key, float("inf")) <= now()
        ]


async def ended(
    messages: Sequence[ReplayResult], ledger: Ledger, depth: int, timeout: float
) -> Any:
    async def count() -> int:
        return depth

    clock = asyncio.get_running_loop().time
    with patch("consumer.operate.dlq.replay_results.monotonic", clock):
        async with aclosing(follow(messages, ledger.ask, count, timeout)) as following:
            return [(now(), count) async for count in following]


def test_waiting_tells_how_many_have_ended_until_all_have() -> None:
    async def story() -> None:
        messages = [replayed(announcing("a")), replayed(announcing("b", "c"))]
        told = await ended(messages, Ledger(a=0, b=1, c=2.5), depth=9, timeout=60)
        assert told == [(0, 1), (1, 1), (2, 1), (3, 2)]

    play(story())


def test_waiting_ends_when_the_time_is_up() -> None:
    async def story() -> None:
        messages = [replayed(announcing("a")), replayed(announcing("b"))]
        told = await ended(messages, Ledger(a=1), depth=0, timeout=20)
        assert told[-1] == (20, 1)
        assert ["loaded", "waiting"] == [message.result for message in messages]

    play(story())


def test_waiting_for_nothing_takes_no_time() -> None:
    async def story() -> None:
        assert [] == await ended([], Ledger(), depth=0, timeout=20)

    play(story())
