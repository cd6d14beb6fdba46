"""Carries out what is planned: in this process, or in the next one if this is killed.

Whoever holds the lock of an action carries it out. A dead letter's row says what is about to be
done before SQS is asked to, the action's item that it was, after. Killed between the two, the
message is not found again: the row then tells that this is what took it off.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from functools import partial
from time import monotonic
from typing import Any

import structlog
from psycopg import AsyncConnection

from console.actions.audit import Audit
from console.data import statements
from console.data.servers import Servers
from consumer.errors import ConsumerError, where
from consumer.operate.dlq import queue as dead_letter_queue
from consumer.operate.dlq.dead_letters import DeadLetter, Filters

log = structlog.get_logger()

_LOOK_SECONDS = 10.0  # for actions that a killed console has left
_HIDDEN_SECONDS = 90.0  # what another look holds is visible again after a minute
_PAUSE_SECONDS = 2.0
_DONE = {"replay": "replayed", "purge": "purged"}
_HELD = "another command holds it, or was killed while it did: nothing was done; plan it again"


class Carrier:
    """One task for each console; `wake` tells it that there is something to do."""

    def __init__(self, servers: Servers, audit: Audit) -> None:
        self._servers = servers
        self._audit = audit
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look at once."""
        self._news.set()

    async def run(self) -> None:
        """Carry out actions until cancelled."""
        while True:
            self._news.clear()
            try:
                await self._carry_out_all()
            except ConsumerError as error:
                log.warning("actions_interrupted", code=error.code)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._news.wait()

    async def _carry_out_all(self) -> None:
        for row in await self._servers.database.rows("find_unfinished"):
            number = row["action_id"]
            # One that cannot go on stays on record, and must not keep others from it.
            try:
                await self._carry_out_alone(number, row["kind"])
            except ConsumerError as error:
                log.warning("action_interrupted", action_id=number, code=error.code)
            except Exception as error:  # noqa: BLE001 - a bug; it is tried again
                log.warning("action_failed", action_id=number, where=where(error))

    async def _carry_out_alone(self, number: int, kind: str) -> None:
        """Carry out an action unless another console does."""
        async with self._audit.session() as session:
            cursor = await session.execute(statements.named("try_action"), {"action_id": number})
            if (await cursor.fetchone() or [False])[0]:
                log.info("action_begun", action_id=number, kind=kind)
                await self._carry_out(session, number, kind)
                log.info("action_ended", action_id=number)

    async def _carry_out(self, session: AsyncConnection[Any], number: int, kind: str) -> None:
        """Act on what is still planned; a message that is hidden for now is looked for again."""
        began = monotonic()
        dead, is_hidden = self._servers.queues.dead, False
        while waiting := await _open_items(session, number):
            await self._pass(session, number, kind, waiting)
            depth = await dead.depth()
            is_hidden = depth.in_flight + depth.delayed > 0
            if not is_hidden or monotonic() - began > _HIDDEN_SECONDS:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        told = {"action_id": number, "done": _DONE[kind], "why": _HELD if is_hidden else None}
        async with session.transaction():
            await session.execute(statements.named("end_items"), told)
            await session.execute(statements.named("end_action"), {"action_id": number})

    async def _pass(
        self, session: AsyncConnection[Any], number: int, kind: str, ids: list[str]
    ) -> None:
        queues, filters, done = self._servers.queues, Filters(ids=frozenset(ids)), _DONE[kind]
        before = partial(_mark_before, session, done)
        if kind == "replay":
            moving = dead_letter_queue.move(queues.dead, filters, queues.main, None, before)
        else:
            moving = dead_letter_queue.purge(queues.dead, filters, before)
        async with aclosing(moving):
            async for dead_letter in moving:
                told = {"action_id": number, "message_id": dead_letter.id, "state": done}
                await session.execute(statements.named("mark_item"), told)


async def _open_items(session: AsyncConnection[Any], number: int) -> list[str]:
    cursor = await session.execute(statements.named("list_open_items"), {"action_id": number})
    return [message_id for (message_id,) in await cursor.fetchall()]


async def _mark_before(
    session: AsyncConnection[Any], state: str, group: Sequence[DeadLetter]
) -> None:
    """Say what becomes of dead letters; an object may end before we are told that it was sent."""
    told = {"state": state, "message_ids": [one.id for one in group]}
    await session.execute(statements.named("mark_dead_letters"), told)
