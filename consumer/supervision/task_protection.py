"""Protects the ECS task while stopping it would throw much work away, and no longer.

A deployment or a scale-in waits for protected tasks. A consumer is hardly ever idle, so one that
were protected whenever it is busy would hold up every deployment for good: what counts is a
document that is read as a stream, or that would hardly be finished within the time to stop.

Source: Amazon ECS Developer Guide, "Task scale-in protection endpoint".
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import structlog

log = structlog.get_logger()

_PROTECTED_MINUTES = 10
_RENEWAL_SECONDS = 300.0
_LOOK_SECONDS = 1.0
_PAUSE_SECONDS, _FAILURE_PAUSE_SECONDS = 5.0, 30.0  # between two calls; AWS throttles them
_CALL_SECONDS = 2.0
_MAX_ANSWER_BYTES = 64 * 1024

# Protects the task, or not; returns why it could not, or None.
Protect = Callable[[bool], Awaitable[str | None]]


class TaskProtection:
    """Keeps a task protected while that is needed; what fails is logged once and tried again."""

    def __init__(self, protect: Protect, is_needed: Callable[[], bool]) -> None:
        self._protect = protect
        self._is_needed = is_needed
        self._renew_at: float | None = None  # None while not protected
        self._next_call = 0.0
        self._failure: str | None = None

    async def keep(self, stopping: asyncio.Event) -> None:
        """Protect and release until told to stop; then release."""
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _LOOK_SECONDS)
            if not stopping.is_set() and _now() >= self._next_call:
                await self._look()
        if self._renew_at is not None:
            await self._call(wanted=False)

    async def _look(self) -> None:
        # One call at a time: nothing else calls, and each look waits for the one before.
        wanted = self._is_needed()
        is_due = self._renew_at is None or _now() >= self._renew_at
        if is_due if wanted else self._renew_at is not None:
            await self._call(wanted=wanted)

    async def _call(self, *, wanted: bool) -> None:
        failure = await self._protect(wanted)
        self._next_call = _now() + (_FAILURE_PAUSE_SECONDS if failure else _PAUSE_SECONDS)
        if failure is None:
            self._renew_at = _now() + _RENEWAL_SECONDS if wanted else None
        elif failure != self._failure:
            log.warning("task_protection_failed", wanted=wanted, reason=failure)
        self._failure = failure


def _now() -> float:
    return asyncio.get_running_loop().time()


def ecs_agent(uri: str) -> Protect:
    """Return the call to the agent beside our task."""
    url = f"{uri.rstrip('/')}/task-protection/v1/state"

    async def protect(wanted: bool) -> str | None:  # noqa: FBT001 - it is all that is said
        body: dict[str, Any] = {"ProtectionEnabled": wanted}
        if wanted:
            body["ExpiresInMinutes"] = _PROTECTED_MINUTES
        try:
            async with (
                asyncio.timeout(_CALL_SECONDS),
                aiohttp.ClientSession() as client,
                client.put(url, json=body) as answer,
            ):
                text = await answer.content.read(_MAX_ANSWER_BYTES)
                return _failure(answer.status, json.loads(text))
        except TimeoutError:
            return f"no answer within {_CALL_SECONDS:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"

    return protect


def _failure(status: int, answer: Any) -> str | None:
    """Return why the agent did not do it; it says so with status 200, too."""
    told = answer if isinstance(answer, dict) else {}
    if status == 200 and isinstance(told.get("protection"), dict):
        return None
    found = told.get("failure") or told.get("error") or {}
    words = [found.get(name) for name in ("Reason", "Detail", "Code", "Message")]
    return ": ".join([f"status {status}", *(str(word)[:300] for word in words if word)])
