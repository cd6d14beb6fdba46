"""The database: who we are there, the schema, our rights, sessions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from consumer.drift.renames import ALIASES_DISAGREE, ALIASES_REMEDY
from consumer.errors import ConsumerError
from consumer.load import statements
from consumer.load.database import open_session
from consumer.load.migrations.steps import schema_head
from consumer.load.schema import (
    LACKING_REMEDY,
    StoredSchema,
    lacking_columns,
    stored_columns,
    stored_schema,
)
from consumer.operate.doctor.findings import Finding, Unknown, fine, not_checked, problem, warning
from consumer.rows.tables import DATA_TABLES
from consumer.settings import ConsumerSettings, DatabaseSettings

_CHECK = "database"
_WRITING = ("SELECT", "INSERT", "UPDATE")
# What the consumer does to each table; a test holds it to the migrations and the SQL.
RIGHTS = dict.fromkeys((table.name for table in DATA_TABLES), _WRITING) | {
    "menu_items": _WRITING,
    "check_patches": _WRITING,
    "store_days": _WRITING,
    "drift_findings": _WRITING,
    "object_findings": ("SELECT", "INSERT", "DELETE"),
    "schema_drift": ("SELECT",),
    "forgotten_drift": ("SELECT", "INSERT", "UPDATE"),
    "ingested_objects": (*_WRITING, "DELETE"),
    "alembic_version": ("SELECT",),
}
# What PostgreSQL and libpq say when they refuse us, and what helps; the first that fits.
_REMEDIES = (
    ("password", "correct DB_USER and DB_PASSWORD"),
    ("pg_hba.conf", "let this host and user in (pg_hba.conf), or correct DB_USER and DB_HOST"),
    ("connection slots", "raise max_connections, or run fewer consumers"),
    ("too many clients", "raise max_connections, or run fewer consumers"),
    ("too many connections", "raise the CONNECTION LIMIT, or run fewer consumers"),
    ("permission denied for database", "GRANT CONNECT ON DATABASE to DB_USER"),
    ("permission denied", "check the grants of DB_USER"),
    ("role ", "create the user, or correct DB_USER"),
    ("database ", "create the database, or correct DB_NAME"),
    ("unsupported startup parameter", "unset PGOPTIONS, or let the pooler pass it on"),
    ("certificate", "correct PGSSLROOTCERT, PGSSLCERT or DB_HOST (docs/networks.md)"),
    ("SSL", "correct PGSSLMODE, or switch TLS on in the server"),
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
    schema: StoredSchema
    tables: list[TableFacts]
    lacking: list[str]  # tables and columns that the contracts name
    alias_files: int  # loaded with in the last ten minutes


async def probe_database(settings: DatabaseSettings) -> DatabaseFacts | Unknown:
    """Learn who we are in the database, what it allows, and what `consumer migrate` left."""
    try:
        async with open_session(settings) as session:
            return DatabaseFacts(
                **await _server(session),
                is_pooled_by_transaction=await _is_pooled_by_transaction(session, settings),
                schema=await stored_schema(session),
                tables=await _tables(session),
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


async def _tables(session: AsyncConnection) -> list[TableFacts]:
    needed = [(name, right) for name, rights in RIGHTS.items() for right in rights]
    names, rights = zip(*needed, strict=True)
    cursor = session.cursor(row_factory=class_row(TableFacts))
    parameters = {"tables": list(names), "rights": list(rights)}
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


def check_database(
    database: DatabaseFacts | Unknown, settings: ConsumerSettings
) -> Iterator[Finding]:
    """Check the database against what one consumer of this release needs."""
    if isinstance(database, Unknown):
        yield problem(_CHECK, database.reason, database.remedy)
        yield not_checked("schema", "the database could not be asked", "see above")
        return
    yield from _access(database, settings)
    yield _schema(database)
    yield from _grants(database)
    if database.alias_files > 1:
        yield warning("aliases", ALIASES_DISAGREE, ALIASES_REMEDY)
    yield _sessions(database, settings.loader_connections + 1)


def _access(database: DatabaseFacts, settings: ConsumerSettings) -> Iterator[Finding]:
    name, user, encoding = settings.db_name, database.user, database.encoding
    if database.is_read_only:
        remedy = "set DB_HOST to the primary, not a replica"
        yield problem(_CHECK, f"{settings.db_host} is read-only", remedy)
    if encoding != "UTF8":
        found = f"{name} is encoded in {encoding}, which cannot hold every name"
        remedy = f"create it anew: CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
        yield problem(_CHECK, found, remedy)
    if not database.may_create_temporary:
        found = f"{user} may not create temporary tables, which documents are staged in"
        yield problem(_CHECK, found, f"GRANT TEMPORARY ON DATABASE {name} TO {user}")
    if database.is_pooled_by_transaction:
        found = "a pooler in front gives each transaction another session: staging tables get lost"
        remedy = "pool by session (PgBouncer: pool_mode = session), or set DB_HOST to the server"
        yield problem(_CHECK, found, remedy)
    yield fine(_CHECK, f"{name} on {settings.db_host} answers {user}")


def _schema(database: DatabaseFacts) -> Finding:
    check, stored, release = "schema", database.schema, schema_head()
    found = f"the tables are at {stored.version}"
    if stored.version is None:
        return problem(check, "there are no tables yet", "run `consumer migrate`")
    if not stored.fits and stored.is_newer:
        newer = f"{found}, newer than this release knows ({release})"
        return problem(check, newer, "deploy the release that migrated them, or a newer one")
    if not stored.fits:
        older = f"{found}, this release needs {release}"
        return problem(check, older, "run `consumer migrate`")
    if database.lacking:
        return problem(check, f"the database lacks {', '.join(database.lacking)}", LACKING_REMEDY)
    if stored.is_newer:
        found += f", newer than this release ({release}), and work with it"
    return fine(check, found)


def _grants(database: DatabaseFacts) -> Iterator[Finding]:
    check, user = "tables", database.user
    lacking = [table for table in database.tables if table.lacking]
    foreign = [table for table in database.tables if not table.is_owned]
    for table in lacking:
        rights = ", ".join(table.lacking)
        remedy = f"as {table.owner}: GRANT {rights} ON {table.name} TO {user}"
        yield problem(check, f"{user} lacks {rights} on {table.name}", remedy)
    if foreign:
        names = ", ".join(table.name for table in foreign)
        found = f"{user} does not own {names}, and so cannot migrate them"
        yield warning(check, found, f"run `consumer migrate` with DB_USER={foreign[0].owner}")
    elif database.tables and not lacking:
        yield fine(check, f"{user} owns them")


def _sessions(database: DatabaseFacts, needed: int) -> Finding:
    """Compare the limits with what one consumer needs: LOADER_CONNECTIONS and one more."""
    check, most, in_use = "sessions", database.server_limit, database.in_use
    limits = {
        "max_connections": most,
        "the user's CONNECTION LIMIT": database.role_limit,
        "the database's CONNECTION LIMIT": database.database_limit,
    }
    for name, limit in limits.items():
        if 0 <= limit < needed:
            found = f"{name} allows {limit} sessions, one consumer needs {needed}"
            return problem(check, found, f"raise {name}, or lower LOADER_CONNECTIONS")
    found = f"{in_use} of {most} are in use, one consumer needs {needed}"
    if most - in_use < needed:
        remedy = "raise max_connections, or run fewer"
        return warning(check, f"{found}: another one would not fit", remedy)
    return fine(check, found)
