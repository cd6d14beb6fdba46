"""PostgreSQL as the pages see it: a few sessions that can only read, and no query that lasts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from console.data import statements
from console.data.outage import Outage
from console.settings import ConsoleSettings
from consumer.errors import DatabaseUnavailable
from consumer.load.database import mapped
from consumer.load.sessions import Session, begin_session, check_idle, parameters

Row = dict[str, Any]

_SESSIONS = 4
_CONNECT_SECONDS = 2  # pages are short-lived, and what waits for one is a person
_TURNS = 5  # so often one waits for a session while others have them all
_CLOSE_SECONDS = 0.5  # for the pool's own tasks: they may be waiting for a database that is down


class Database:
    """Queries by name; each is a transaction of its own that can only read."""

    def __init__(self, pool: AsyncConnectionPool[Session], settings: ConsoleSettings) -> None:
        self._pool = pool
        self._settings = settings
        self._outage = Outage(self._connect)

    async def rows(self, name: str, /, **asked: object) -> list[Row]:
        """Return the rows of the query `name`, columns by name.

        Raises:
            ConsumerError: PostgreSQL does not answer, or did not a moment ago, refuses us, or takes
                longer than CONSOLE_STATEMENT_TIMEOUT_SECONDS.
        """
        statement = statements.named(name)
        await self._outage.check()
        for _ in range(_TURNS):
            try:
                return await self._asked(name, statement, asked)
            except PoolTimeout:
                # The pool keeps the reason to itself: nobody answers, or all sessions are busy.
                self._outage.begin(DatabaseUnavailable("PostgreSQL is not available: no session"))
                await self._outage.check(2 * _CONNECT_SECONDS)
        raise DatabaseUnavailable(f"all {_SESSIONS} sessions of the console are busy")

    async def _asked(self, name: str, statement: bytes, asked: dict[str, object]) -> list[Row]:
        try:
            async with self._pool.connection() as session:
                cursor = session.cursor(row_factory=dict_row)
                await cursor.execute(statement, asked)
                return await cursor.fetchall()
        except PoolTimeout:
            raise
        except errors.QueryCanceled as error:
            seconds = self._settings.console_statement_timeout_seconds
            raise DatabaseUnavailable(f"{name} takes longer than {seconds} s") from error
        except psycopg.Error as error:
            raise mapped(error) from error

    async def close(self) -> None:
        """Stop asking a server that is down."""
        await self._outage.close()

    async def _connect(self) -> None:
        """Open a session and end it; raises ConsumerError if that cannot be."""
        try:
            told = await parameters(self._settings.reading) | {"connect_timeout": _CONNECT_SECONDS}
            async with await Session.connect(**told):
                pass
        except psycopg.Error as error:
            raise mapped(error) from error


@asynccontextmanager
async def open_database(settings: ConsoleSettings) -> AsyncIterator[Database]:
    """Hold the sessions while the block runs; does not wait for the database to be up."""

    async def connecting() -> dict[str, Any]:
        mine = {"connect_timeout": _CONNECT_SECONDS, "autocommit": True, "prepare_threshold": None}
        return await parameters(settings.reading) | mine

    async def begin(session: Session) -> None:
        await begin_session(session, settings.reading)
        await session.execute(
            "SET default_transaction_read_only = on; SET jit = off; SET work_mem = '16MB'; "
            f"SET statement_timeout = '{settings.console_statement_timeout_seconds:d}s'".encode()
        )

    pool = AsyncConnectionPool(
        connection_class=Session,
        kwargs=connecting,
        min_size=0,
        max_size=_SESSIONS,
        open=False,
        configure=begin,
        check=check_idle,
        timeout=_CONNECT_SECONDS,
        # A server that is up again is noticed by the next page, not after a growing pause.
        reconnect_timeout=_CONNECT_SECONDS,
    )
    await pool.open()
    database = Database(pool, settings)
    try:
        yield database
    finally:
        await database.close()
        await pool.close(_CLOSE_SECONDS)
