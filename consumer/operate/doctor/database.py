"""The database: who we are there, the schema, our rights, sessions; `tables.py` judges them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from consumer.errors import ConsumerError
from consumer.load import statements
from consumer.load.database import open_session
from consumer.load.migrations.schema import (
    StoredSchema,
    lacking_columns,
    stored_columns,
    stored_schema,
)
from consumer.operate.doctor.findings import Unknown
from consumer.rows.tables import DATA_TABLES
from consumer.settings import DatabaseSettings

Rights = Mapping[str, tuple[str, ...]]

_WRITING = ("SELECT", "INSERT", "UPDATE")
# What the consumer does to each table; a test holds it to the migrations and the SQL, but for what
# `verify --repair` and `prune` delete: they are for the owner of the tables.
RIGHTS: Rights = dict.fromkeys((table.name for table in DATA_TABLES), _WRITING) | {
    "menu_items": _WRITING,
    "check_patches": _WRITING,
    "store_days": _WRITING,
    "drift_findings": _WRITING,
    "object_findings": ("SELECT", "INSERT", "DELETE"),
    "schema_drift": ("SELECT",),
    "forgotten_drift": ("SELECT", "INSERT", "UPDATE"),
    "ingested_objects": (*_WRITING, "DELETE"),
    "prunings": ("SELECT",),
    "causes": ("SELECT", "INSERT"),
    "object_events": ("SELECT", "INSERT"),
    "dead_letters": _WRITING,
    "expected_stores": _WRITING,
    "consumer_heartbeats": (*_WRITING, "DELETE"),
    "operator_actions": _WRITING,
    "operator_action_items": _WRITING,
    "alembic_version": ("SELECT",),
}
# What PostgreSQL and libpq say when they refuse us, and what helps; the first that fits.
_REMEDIES = (
    ("PAM authentication failed", "GRANT rds_iam TO DB_USER, and rds-db:connect to the role"),
    ("DB_PASSWORD_FILE", "correct its path or permissions, or write the password into it"),
    ("password", "correct DB_USER, and DB_PASSWORD or DB_PASSWORD_FILE"),
    ("AWS cannot be used", "set AWS_REGION, and give the task a role or an access key"),
    ("pg_hba.conf", "let this host and user in (pg_hba.conf), or correct DB_USER and DB_HOST"),
    ("connection slots", "raise max_connections, or run fewer consumers"),
    ("too many clients", "raise max_connections, or run fewer consumers"),
    ("too many connections", "raise the CONNECTION LIMIT, or run fewer consumers"),
    ("permission denied for database", "GRANT CONNECT ON DATABASE to DB_USER"),
    ("permission denied", "check the grants of DB_USER"),
    ("role ", "create the user, or correct DB_USER"),
    ("database ", "create the database, or correct DB_NAME"),
    ("unsupported startup parameter", "unset PGOPTIONS, or let the pooler pass it on"),
    ("certificate", "correct DB_SSLROOTCERT, PGSSLCERT or DB_HOST (docs/networks.md)"),
    ("SSL", "correct DB_SSLMODE, or switch TLS on in the server"),
    ("resolve host", "correct DB_HOST"),
    ("translate host", "correct DB_HOST"),
    ("No such file", "correct DB_HOST, the directory of the socket, or start PostgreSQL"),
    ("refused", "start PostgreSQL, or correct DB_HOST and DB_PORT"),
    ("timeout", "correct DB_HOST and DB_PORT, or let the network through"),
    ("", "check DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD, and the server's log"),
)


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One of our tables."""

    name: str
    owner: str
    is_owned: bool
    lacking: list[str]


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The database, as the consumer's user sees it; of the limits, -1 is none."""

    user: str
    encoding: str
    is_read_only: bool
    may_create_temporary: bool
    server_limit: int
    role_limit: int
    database_limit: int
    in_use: int
    is_pooled_by_transaction: bool
    is_encrypted: bool
    schema: StoredSchema
    tables: list[TableFacts]
    lacking: list[str]  # tables and columns that the contracts name
    alias_files: int  # loaded with in the last ten minutes


async def probe_database(
    settings: DatabaseSettings, rights: Rights = RIGHTS
) -> DatabaseFacts | Unknown:
    """Learn who we are in the database, which of `rights` we lack, what `consumer migrate` left."""
    try:
        async with open_session(settings) as session:
            return DatabaseFacts(
                **await _server(session),
                is_encrypted=session.pgconn.ssl_in_use,
                is_pooled_by_transaction=await _is_pooled_by_transaction(session, settings),
                schema=await stored_schema(session),
                tables=await _tables(session, rights),
                lacking=list(lacking_columns(await stored_columns(session))),
                alias_files=await _alias_files(session),
            )
    except ConsumerError as error:
        return database_refusal(error.__cause__ or error, settings)


def database_refusal(error: BaseException, settings: DatabaseSettings) -> Unknown:
    """Say why PostgreSQL does not answer; it tells us in words only."""
    remedy = next(remedy for words, remedy in _REMEDIES if words in str(error))
    where = f"{settings.db_name} on {settings.db_host}:{settings.db_port}"
    return Unknown(f"{where} cannot be asked: {' '.join(str(error).split())}", remedy)


async def _server(session: AsyncConnection) -> dict[str, Any]:
    cursor = session.cursor(row_factory=dict_row)
    [server] = await (await cursor.execute(statements.fixed("diagnose_server"))).fetchall()
    return server


async def _tables(session: AsyncConnection, rights: Rights) -> list[TableFacts]:
    needed = [(name, right) for name, asked in rights.items() for right in asked]
    names, each = zip(*needed, strict=True)
    cursor = session.cursor(row_factory=class_row(TableFacts))
    parameters = {"tables": list(names), "rights": list(each)}
    await cursor.execute(statements.fixed("diagnose_tables"), parameters)
    return await cursor.fetchall()


async def _alias_files(session: AsyncConnection) -> int:
    try:
        cursor = await session.execute(statements.fixed("find_alias_files"))
    except psycopg.ProgrammingError:  # the table is not there, is old, or is not ours to read
        return 0
    return len(await cursor.fetchall())


async def _is_pooled_by_transaction(session: AsyncConnection, settings: DatabaseSettings) -> bool:
    """Say whether another session may get our server process between two transactions.

    A pooler makes up its clients' process numbers, and gives its idle server to whoever asks next.
    """
    before = await _process(session)
    if before == (session.info.backend_pid,):
        return False
    async with open_session(settings) as other, other.transaction():
        taken = await _process(other)
        return bool(before == taken or before != await _process(session))


async def _process(session: AsyncConnection) -> Any:
    return await (await session.execute("SELECT pg_backend_pid()")).fetchone()
