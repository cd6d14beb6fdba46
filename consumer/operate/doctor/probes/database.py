"""Asking PostgreSQL without changing anything."""

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.rows import dict_row

from consumer.load import statements
from consumer.load.contract_columns import lacking_columns, stored_columns
from consumer.load.database import mapped
from consumer.load.sessions import Session, begin_session
from consumer.operate.doctor.facts import DatabaseFacts, Sessions, TableFacts, Unknown
from consumer.operate.doctor.refusals import connection_refusal
from consumer.rows.tables import DATA_TABLES
from consumer.settings import DatabaseSettings

_WRITING = ("SELECT", "INSERT", "UPDATE")
_CLEARING = (*_WRITING, "DELETE")
# What the consumer does to each table; a test holds it to the migrations and the SQL.
RIGHTS = dict.fromkeys((table.name for table in DATA_TABLES), _WRITING) | {
    "menu_items": _WRITING,
    "check_patches": _WRITING,
    "store_days": _WRITING,
    "drift_findings": _WRITING,
    "object_findings": ("SELECT", "INSERT", "DELETE"),
    "schema_drift": ("SELECT",),
    "forgotten_drift": ("SELECT", "INSERT", "UPDATE"),
    "ingested_objects": _CLEARING,
    "alembic_version": ("SELECT",),
}
_CONNECT_SECONDS = 5


async def probe_database(settings: DatabaseSettings) -> DatabaseFacts | Unknown:
    """Learn who we are in the database, what it allows, and what `consumer migrate` left."""
    try:
        session = await _connect(settings)
    except psycopg.Error as error:
        return connection_refusal(error, settings)
    try:
        async with session:
            return await _facts(session, settings)
    except psycopg.Error as error:
        return Unknown(str(mapped(error)), "check the grants of DB_USER and the server's log")


async def _facts(session: AsyncConnection, settings: DatabaseSettings) -> DatabaseFacts:
    cursor = session.cursor(row_factory=dict_row)
    await cursor.execute(statements.fixed("diagnose_server"))
    [server] = await cursor.fetchall()
    needed = [(name, right) for name, rights in RIGHTS.items() for right in rights]
    parameters = {
        "tables": [name for name, _ in needed],
        "rights": [right for _, right in needed],
    }
    await cursor.execute(statements.fixed("diagnose_tables"), parameters)
    tables = tuple(
        TableFacts(row["name"], row["owner"], row["is_owned"], tuple(row["lacking"]))
        for row in await cursor.fetchall()
    )
    return DatabaseFacts(
        user=server["user"],
        encoding=server["encoding"],
        is_read_only=server["is_read_only"],
        may_create_temporary=server["may_create_temporary"],
        is_pooled_by_transaction=await _is_pooled_by_transaction(session, settings),
        schema_version=await _schema_version(session),
        tables=tables,
        lacking=tuple(lacking_columns(await stored_columns(session))),
        sessions=Sessions(
            server["server_limit"],
            server["role_limit"],
            server["database_limit"],
            server["in_use"],
        ),
        alias_files=await _alias_files(session),
    )


async def _alias_files(session: AsyncConnection) -> int:
    try:
        cursor = await session.execute(statements.fixed("find_alias_files"))
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.InsufficientPrivilege):
        return 0  # other checks tell of it
    return len(await cursor.fetchall())


async def _schema_version(session: AsyncConnection) -> str | None:
    try:
        cursor = await session.execute("SELECT version_num FROM alembic_version")
    except errors.UndefinedTable:
        return None
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def _is_pooled_by_transaction(session: AsyncConnection, settings: DatabaseSettings) -> bool:
    """Say whether another session may get our server process between two transactions.

    A pooler gives its clients process numbers of its own making, and its idle server to whoever
    asks next.
    """
    before = await _process(session)
    if before == session.info.backend_pid:
        return False
    async with await _connect(settings) as other, other.transaction():
        taken = await _process(other)
        return before == taken or before != await _process(session)


async def _process(session: AsyncConnection) -> int:
    cursor = await session.execute("SELECT pg_backend_pid()")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def _connect(settings: DatabaseSettings) -> AsyncConnection:
    """Connect the way the consumer does, but with less patience."""
    patience_seconds = min(settings.db_connect_timeout_seconds, _CONNECT_SECONDS)
    hurried = settings.conninfo | {"connect_timeout": patience_seconds}
    session = await Session.connect(**hurried, autocommit=True)
    try:
        await begin_session(session, settings)
        await session.execute(f"SET statement_timeout = '{_CONNECT_SECONDS}s'".encode())
    except BaseException:
        await session.close()
        raise
    return session
