"""An ECS task is protected while a stop would throw much work away, and no longer."""

import asyncio
from time import monotonic
from unittest.mock import patch

import pytest
from structlog.testing import capture_logs

from consumer.ingest.in_hand import InHand
from consumer.supervision import task_protection
from consumer.supervision.task_protection import TaskProtection, ecs_agent
from tests.support.consumer_fakes import now, play
from tests.support.ecs_agent import running_agent

ON = {"ProtectionEnabled": True, "ExpiresInMinutes": 10}
OFF = {"ProtectionEnabled": False}


class Story:
    """A task whose need changes, and an agent that notes each call with its second."""

    def __init__(self) -> None:
        self.needed = False
        self.failure: str | None = None
        self.calls: list[tuple[int, bool]] = []
        self.stopping = asyncio.Event()

    async def protect(self, wanted: bool) -> str | None:  # noqa: FBT001
        self.calls.append((round(now()), wanted))
        return self.failure

    async def run_until(self, *changes: tuple[float, bool]) -> None:
        """Keep the task protected while its need changes, and stop at the last moment."""
        keeping = asyncio.create_task(
            TaskProtection(self.protect, lambda: self.needed).keep(self.stopping)
        )
        for moment, needed in changes:
            await asyncio.sleep(moment - now())
            self.needed = needed
        self.stopping.set()
        await keeping


def test_protection_is_asked_for_when_needed_and_given_up_when_no_longer() -> None:
    async def story() -> None:
        told = Story()
        await told.run_until((10.5, True), (40.5, False), (99.5, False))
        assert [(11, True), (41, False)] == told.calls

    play(story())


def test_it_is_renewed_every_five_minutes_and_dropped_on_sigterm() -> None:
    async def story() -> None:
        told = Story()
        await told.run_until((0.5, True), (700.5, True))
        assert [(1, True), (301, True), (601, True), (700, False)] == told.calls

    play(story())


def test_needs_that_come_and_go_do_not_make_a_call_each() -> None:
    async def story() -> None:
        told = Story()
        flapping = [(0.5 + number, number % 2 == 0) for number in range(100)]
        await told.run_until(*flapping)
        assert len(told.calls) <= 21

    play(story())


def test_what_the_agent_refuses_is_logged_once_and_tried_again() -> None:
    async def story() -> None:
        told = Story()
        told.failure = "status 200: DEPLOYMENT_BLOCKED"
        with capture_logs() as logs:
            await told.run_until((0.5, True), (95.5, True))
        assert [(1, True), (31, True), (61, True), (91, True)] == told.calls
        assert ["task_protection_failed"] == [line["event"] for line in logs]

    play(story())


def test_without_a_need_nothing_is_ever_asked() -> None:
    async def story() -> None:
        told = Story()
        await told.run_until((1000, False))
        assert [] == told.calls

    play(story())


@pytest.mark.parametrize(
    ("mood", "failure"),
    [
        ("ok", None),
        ("blocked", "status 200: DEPLOYMENT_BLOCKED"),
        ("denied", "status 400: AccessDeniedException: not authorized"),
        ("hanging", "no answer within 0.2 s"),
        ("not JSON", "JSONDecodeError"),
        ("[]", "status 200"),
    ],
)
async def test_the_agent_is_asked_and_its_answers_are_understood(
    mood: str, failure: str | None
) -> None:
    async with running_agent() as agent:
        agent.mood = mood
        protect = ecs_agent(f"{agent.uri}/")
        with patch.object(task_protection, "_CALL_SECONDS", 0.2):
            said = [await protect(True), await protect(False)]
    assert [("/api/task-protection/v1/state", ON), ("/api/task-protection/v1/state", OFF)] == (
        agent.asked
    )
    for one in said:
        assert one == failure or (failure and one and one.startswith(failure))


async def test_an_agent_that_is_not_there_is_a_failure_like_others(unused_tcp_port: int) -> None:
    failure = await ecs_agent(f"http://127.0.0.1:{unused_tcp_port}")(True)
    assert failure is not None
    assert failure.startswith("ClientConnectorError")


async def test_a_stream_and_an_old_document_are_costly_and_others_are_not() -> None:
    in_hand = InHand()
    assert not in_hand.is_costly(10)
    async with in_hand.one() as one:
        assert not in_hand.is_costly(10)
        with patch("consumer.ingest.in_hand.monotonic", lambda: monotonic() + 11):
            assert in_hand.is_costly(10)
        one.is_streamed = True
        assert in_hand.is_costly(10)
    assert not in_hand.is_costly(10)
