"""Sessions with PostgreSQL: each states what it relies on, and none waits for a silent server.

What they state is in `runtime/postgres.py`. The kernel notices packets that nobody acknowledges
(see `PostgresSettings.conninfo`). Where something in between acknowledges them all, the session
asks over another connection whether the server is still at work.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection, errors
from psycopg.abc import PQGen
from psycopg_pool import AsyncConnectionPool

from consumer.load import statements
from consumer.settings import DatabaseSettings
from runtime.postgres import STATE_SESSION, check_encoding, connect, parameters_now

__all__ = ["Session", "begin_session", "check_encoding", "check_idle", "connect", "parameters"]

log = structlog.get_logger()

_SILENCE_SECONDS = 20.0  # before doubting that the server is still at work
_SHORT_SILENCE_SECONDS = 5.0  # where an answer comes at once or never

R = TypeVar("R")


class Session(AsyncConnection[Any]):
    """A connection that hangs up on a server which has gone silent.

    Whoever waits for it then gets `psycopg.OperationalError`, as after any broken connection.
    """

    silence_seconds = _SILENCE_SECONDS
    is_at_work: Callable[[], Awaitable[bool]] | None = None

    async def wait(self, gen: PQGen[R], *args: Any, **kwargs: Any) -> R:
        """Wait for the server as psycopg does, but not longer than it is at work."""
        loop, doubt = asyncio.get_running_loop(), None

        def begin() -> None:
            nonlocal doubt
            doubt = loop.create_task(self._hang_up_if_silent(), name="session_doubt")

        timer = loop.call_later(self.silence_seconds, begin)
        try:
            return await super().wait(gen, *args, **kwargs)
        finally:
            timer.cancel()
            if doubt is not None:
                # The answer may have come while the server was asked: nobody hangs up any more.
                doubt.cancel()

    async def _hang_up_if_silent(self) -> None:
        while True:
            if self.is_at_work is None or not await self.is_at_work():
                break
            await asyncio.sleep(self.silence_seconds)
        log.warning("session_silent", silence_seconds=self.silence_seconds)
        # Only the socket: whoever waits for an answer reads its end, and the driver does the rest.
        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self.pgconn.socket)) as ours,
        ):
            ours.shutdown(socket.SHUT_RDWR)


async def parameters(settings: DatabaseSettings) -> dict[str, Any]:
    """Return what to connect with now; a password from a file or from AWS is a new one each time.

    Raises:
        psycopg.OperationalError: there is no password at the moment.
    """
    if settings.db_password_file is None and settings.db_auth == "password":
        return settings.conninfo
    return await asyncio.to_thread(parameters_now, settings)


async def begin_session(session: AsyncConnection[Any], settings: DatabaseSettings) -> None:
    """State what we rely on in an open session."""
    await session.execute(STATE_SESSION)
    if isinstance(session, Session):
        cursor = await session.execute("SELECT pg_backend_pid()")
        [process] = await cursor.fetchone() or [0]
        session.is_at_work = partial(_is_at_work, settings, process)


async def check_idle(session: Session) -> None:
    """Raise psycopg.Error if a session that was idle does not answer; it has little time to."""
    before = session.is_at_work, session.silence_seconds
    session.is_at_work, session.silence_seconds = None, _SHORT_SILENCE_SECONDS
    try:
        await AsyncConnectionPool.check_connection(session)
    finally:
        session.is_at_work, session.silence_seconds = before


async def _is_at_work(settings: DatabaseSettings, process: int) -> bool:
    brief = {"connect_timeout": int(_SHORT_SILENCE_SECONDS)}
    try:
        async with await Session.connect(
            **await parameters(settings) | brief, autocommit=True
        ) as other:
            other.silence_seconds = _SHORT_SILENCE_SECONDS
            cursor = await other.execute(statements.fixed("is_at_work"), [process])
            row = await cursor.fetchone()
    except errors.TooManyConnections:
        return True  # it answers, at least
    except psycopg.Error:
        return False
    return bool(row and row[0])
