"""The audit trail: written before anything is done, by a role that can do nothing else."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from console.actions.plans import Plan
from console.data import statements
from console.settings import ConsoleSettings
from consumer.load.database import mapped
from consumer.load.sessions import Session, begin_session, parameters

_CONNECT_SECONDS = 2


class PlanStale(Exception):
    """The plan was used, or means messages that another action has; `action_id` is that action."""

    def __init__(self, action_id: int) -> None:
        super().__init__(f"action {action_id} has them")
        self.action_id = action_id


class Audit:
    """Writes down what is done; every call raises ConsumerError when PostgreSQL does not answer."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncConnection[Any]]:
        """Hold a session that commits each statement by itself."""
        settings = self._settings.auditing
        try:
            told = await parameters(settings) | {"connect_timeout": _CONNECT_SECONDS}
            async with await Session.connect(**told, autocommit=True) as session:
                await begin_session(session, settings)
                yield session
        except psycopg.Error as error:
            raise mapped(error) from error

    async def view(self, actor: str, key: str, about: dict[str, Any]) -> None:
        """Write down that somebody looks at a document; nothing is shown if this fails."""
        async with self.session() as session, session.transaction():
            number = await _begin(session, "view", actor, about, state="done")
            await _add(session, number, "viewed", [key], [key])

    async def begin(self, plan: Plan, sealed: str, reason: str | None) -> int:
        """Write a confirmed plan down, and return the number of the action.

        Raises:
            PlanStale: it was used, or another action has its messages.
        """
        used = hashlib.sha256(sealed.encode()).hexdigest()
        async with self.session() as session, session.transaction():
            await session.execute(statements.named("lock_actions"))
            told = {"plan": used, "ids": plan.ids}
            for name in ("find_used_plan", "find_planned"):
                cursor = await session.execute(statements.named(name), told)
                if found := await cursor.fetchone():
                    raise PlanStale(found[0])
            about = plan.choice.shown()
            number = await _begin(session, plan.kind, plan.actor, about, reason=reason, plan=used)
            keys = [message["object_key"] for message in plan.messages]
            await _add(session, number, "planned", plan.ids, keys)
        return number


async def _begin(  # noqa: PLR0913 - the row's columns
    session: AsyncConnection[Any],
    kind: str,
    actor: str,
    about: dict[str, Any],
    *,
    state: str = "running",
    reason: str | None = None,
    plan: str | None = None,
) -> int:
    row = {"kind": kind, "actor": actor, "filter": Jsonb(about), "reason": reason}
    cursor = await session.execute(
        statements.named("begin_action"), {**row, "plan": plan, "state": state}
    )
    [number] = await cursor.fetchone() or [0]
    return int(number)


async def _add(
    session: AsyncConnection[Any],
    number: int,
    state: str,
    ids: Sequence[str],
    keys: Sequence[str | None],
) -> None:
    told = {"action_id": number, "state": state, "message_ids": ids, "object_keys": keys}
    await session.execute(statements.named("add_items"), told)
