"""The agent beside an ECS task, as far as task protection asks it.

Source: Amazon ECS Developer Guide, "Task scale-in protection endpoint", with its answers.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

_ARN = "arn:aws:ecs:sa-east-1:111122223333:task/coco/0123456789abcdef"
ANSWERS: dict[str, tuple[int, dict[str, Any]]] = {
    "ok": (200, {"protection": {"ProtectionEnabled": True, "TaskArn": _ARN}}),
    "blocked": (
        200,
        {"failure": {"Arn": _ARN, "Detail": None, "Reason": "DEPLOYMENT_BLOCKED"}},
    ),
    "denied": (
        400,
        {"error": {"Arn": _ARN, "Code": "AccessDeniedException", "Message": "not authorized"}},
    ),
}


class FakeAgent:
    """Answers as it is told; knows what it was asked."""

    def __init__(self) -> None:
        self.mood = "ok"
        self.asked: list[tuple[str, Any]] = []
        self.uri = ""

    async def _state(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, await request.json()))
        if self.mood == "hanging":
            await asyncio.Event().wait()
        if self.mood not in ANSWERS:
            return web.Response(text=self.mood)
        status, answer = ANSWERS[self.mood]
        return web.json_response(answer, status=status)


@asynccontextmanager
async def running_agent() -> AsyncIterator[FakeAgent]:
    """Serve an agent while the block runs."""
    agent, app = FakeAgent(), web.Application()
    app.router.add_put("/api/task-protection/v1/state", agent._state)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        agent.uri = f"http://{host}:{port}/api"
        yield agent
    finally:
        await runner.cleanup()
