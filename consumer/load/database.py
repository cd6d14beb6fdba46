"""PostgreSQL for the consumer: sessions, and what the database's errors mean.

Sessions hold temporary staging tables, so a connection pooler in front must pool by session.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

import psycopg
from psycopg import AsyncConnection, errors
from psycopg_pool import AsyncConnectionPool

from consumer.errors import AccessDenied, ConsumerError, DatabaseUnavailable, Internal, Permanent
from consumer.load import statements
from consumer.load.sessions import Session, begin_session, check_idle, parameters
from consumer.metrics import POOL_SESSIONS
from consumer.rows.tables import DATA_TABLES
from consumer.settings import DatabaseSettings
from schemas.codes import ErrorCode

# SQLSTATE classes (PostgreSQL manual, Appendix A) in which the data is at fault: data exception,
# integrity constraint, program limit such as an index row too large
_DATA_CLASSES = ("22", "23", "54")
_CONFLICTS = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)
_POOL_STATES = {"size": "pool_size", "available": "pool_available", "waiting": "requests_waiting"}
_CLOSE_SECONDS = 0.5  # for the pool's own tasks: they may be waiting for a database that is down


def is_conflict(error: Exception) -> bool:
    """Say whether trying the same transaction again at once is the remedy."""
    return isinstance(error, _CONFLICTS)


def mapped(error: psycopg.Error) -> ConsumerError:
    """Translate a database error: the data's fault, the database's, or ours."""
    state = error.sqlstate or ""
    if state[:2] in _DATA_CLASSES or isinstance(error, psycopg.DataError | psycopg.IntegrityError):
        return Permanent(ErrorCode.DATA_REJECTED, _described(error))
    # Class 28: invalid authorization specification
    if state[:2] == "28" or isinstance(error, errors.InsufficientPrivilege):
        return AccessDenied(f"PostgreSQL refuses us: {error}; check DB_USER and its grants")
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn | errors.UndefinedFunction):
        told = error.diag.message_primary or error
        return DatabaseUnavailable(f"the schema is behind: {told}; run `consumer migrate`")
    if isinstance(error, psycopg.OperationalError | psycopg.InternalError):
        return DatabaseUnavailable(f"PostgreSQL is not available: {error}")
    return Internal(f"{type(error).__name__}: {error}")


def _described(error: psycopg.Error) -> str:
    parts = (error.diag.message_primary or str(error), error.diag.message_detail)
    context = (error.diag.context or "").partition("\n")[0][:300]
    return "; ".join(part[:300] for part in (*parts, context) if part)


@asynccontextmanager
async def open_pool(settings: DatabaseSettings, size: int) -> AsyncIterator[AsyncConnectionPool]:
    """Open a pool of at most `size` sessions; does not wait for the database to be up."""
    pool = AsyncConnectionPool(
        connection_class=Session,
        kwargs=partial(parameters, settings),
        min_size=1,
        max_size=size,
        open=False,
        configure=partial(_prepare_session, settings),
        check=check_idle,
        timeout=settings.db_connect_timeout_seconds,
    )
    await pool.open()
    try:
        yield cast("AsyncConnectionPool", pool)
    finally:
        await pool.close(_CLOSE_SECONDS)


@asynccontextmanager
async def borrowed(pool: AsyncConnectionPool) -> AsyncIterator[AsyncConnection]:
    """Hold a session of the pool for one transaction.

    Raises:
        ConsumerError: it was not committed; also when no session is free, or none can be opened,
            within DB_CONNECT_TIMEOUT_SECONDS.
    """
    try:
        async with pool.connection() as session:
            yield session
    except psycopg.Error as error:
        raise mapped(error) from error


def watch_pool(pool: AsyncConnectionPool) -> None:
    """Let the metrics read the pool's sessions whenever they are asked for."""
    for state, name in _POOL_STATES.items():
        POOL_SESSIONS.labels(state).set_function(partial(_pool_count, pool, name))


def _pool_count(pool: AsyncConnectionPool, name: str) -> float:
    return pool.get_stats().get(name, 0)


async def ping(pool: AsyncConnectionPool) -> None:
    """Raise ConsumerError if the database does not answer a query."""
    async with borrowed(pool) as session:
        await session.execute("SELECT 1")


@asynccontextmanager
async def open_session(settings: DatabaseSettings) -> AsyncIterator[AsyncConnection]:
    """Hold one session for a command's queries, each a transaction of its own.

    Raises:
        ConsumerError: PostgreSQL does not answer or refuses us, also to a query of the block.
    """
    try:
        async with await Session.connect(**await parameters(settings), autocommit=True) as session:
            await begin_session(session, settings)
            yield session
    except psycopg.Error as error:
        raise mapped(error) from error


@asynccontextmanager
async def open_loading_session(settings: DatabaseSettings) -> AsyncIterator[AsyncConnection]:
    """Hold one session that can load batches, with staging tables; queries commit by themselves.

    Raises:
        ConsumerError: as `open_session`.
    """
    try:
        async with await Session.connect(**await parameters(settings), autocommit=True) as session:
            await _prepare_session(settings, session)
            yield session
    except psycopg.Error as error:
        raise mapped(error) from error


async def _prepare_session(settings: DatabaseSettings, session: AsyncConnection) -> None:
    timeout_milliseconds = settings.db_statement_timeout_seconds * 1000
    async with session.transaction():
        await begin_session(session, settings)
        await session.execute(f"SET statement_timeout = {timeout_milliseconds:d}".encode())
        await session.execute(statements.fixed("tune_session"))
        await session.execute(statements.fixed("stage_tables"))
        for table in DATA_TABLES:
            await session.execute(statements.for_table("stage_data_table", table))
