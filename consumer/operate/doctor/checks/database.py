"""Checks of the database: who we are there, the schema, our rights, sessions. Pure."""

from collections.abc import Collection, Iterator

from consumer.drift.alias_file import ALIASES_DISAGREE, ALIASES_REMEDY
from consumer.load.contract_columns import LACKING_REMEDY
from consumer.operate.doctor.facts import DatabaseFacts, Sessions, Unknown
from consumer.operate.doctor.findings import Finding, fine, not_checked, problem, warning
from consumer.settings import ConsumerSettings

_CHECK = "database"


def check_database(
    database: DatabaseFacts | Unknown,
    settings: ConsumerSettings,
    known_versions: Collection[str],
    newest_version: str,
) -> Iterator[Finding]:
    """Check the database.

    Args:
        database: What was learned.
        settings: The consumer's.
        known_versions: Schema versions that this release's migrations know.
        newest_version: The one that it works with.
    """
    if isinstance(database, Unknown):
        yield problem(_CHECK, database.reason, database.remedy)
        yield not_checked("schema", "the database could not be asked", "see above")
        return
    yield from _server(database, settings)
    yield _schema(database, known_versions, newest_version)
    yield from _tables(database)
    if database.alias_files > 1:
        yield warning("aliases", ALIASES_DISAGREE, ALIASES_REMEDY)
    yield _sessions(database.sessions, settings.loader_connections + 1)


def _server(database: DatabaseFacts, settings: ConsumerSettings) -> Iterator[Finding]:
    name = settings.db_name
    if database.is_read_only:
        yield problem(
            _CHECK, f"{settings.db_host} is read-only", "set DB_HOST to the primary, not a replica"
        )
    if database.encoding != "UTF8":
        yield problem(
            _CHECK,
            f"{name} is encoded in {database.encoding}, which cannot hold every name",
            f"create it anew: CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0",
        )
    if not database.may_create_temporary:
        yield problem(
            _CHECK,
            f"{database.user} may not create temporary tables, which documents are staged in",
            f"GRANT TEMPORARY ON DATABASE {name} TO {database.user}",
        )
    if database.is_pooled_by_transaction:
        yield problem(
            _CHECK,
            "a pooler in front gives each transaction another session: staging tables get lost",
            "let the pooler pool by session (PgBouncer: pool_mode = session), or set DB_HOST and "
            "DB_PORT to the server itself",
        )
    yield fine(_CHECK, f"{name} on {settings.db_host} answers {database.user}")


def _schema(database: DatabaseFacts, known: Collection[str], newest: str) -> Finding:
    check, found = "schema", database.schema_version
    if found is None:
        return problem(check, "there are no tables yet", "run `consumer migrate`")
    if found not in known:
        return problem(
            check,
            f"the tables are at {found}, newer than this release knows ({newest})",
            "deploy the release that migrated them, or a newer one",
        )
    if found != newest:
        return problem(
            check,
            f"the tables are at {found}, this release needs {newest}",
            "run `consumer migrate`",
        )
    if database.lacking:
        return problem(check, f"the database lacks {', '.join(database.lacking)}", LACKING_REMEDY)
    return fine(check, f"the tables are at {found}")


def _tables(database: DatabaseFacts) -> Iterator[Finding]:
    check, user = "tables", database.user
    lacking = [table for table in database.tables if table.lacking]
    foreign = [table for table in database.tables if not table.is_owned]
    for table in lacking:
        rights = ", ".join(table.lacking)
        yield problem(
            check,
            f"{user} lacks {rights} on {table.name}",
            f"as {table.owner}: GRANT {rights} ON {table.name} TO {user}",
        )
    if foreign:
        names = ", ".join(table.name for table in foreign)
        yield warning(
            check,
            f"{user} does not own {names}, and so cannot migrate them",
            f"run `consumer migrate` with DB_USER={foreign[0].owner}",
        )
    elif database.tables and not lacking:
        yield fine(check, f"{user} owns them")


def _sessions(sessions: Sessions, needed: int) -> Finding:
    """Compare the limits with what one consumer needs: LOADER_CONNECTIONS and one more."""
    check = "sessions"
    limits = {
        "max_connections": sessions.server_limit,
        "the user's CONNECTION LIMIT": sessions.role_limit,
        "the database's CONNECTION LIMIT": sessions.database_limit,
    }
    for name, limit in limits.items():
        if 0 <= limit < needed:
            return problem(
                check,
                f"{name} allows {limit} sessions, one consumer needs {needed}",
                f"raise {name}, or lower LOADER_CONNECTIONS",
            )
    free = sessions.server_limit - sessions.in_use
    found = f"{sessions.in_use} of {sessions.server_limit} are in use, one consumer needs {needed}"
    if free < needed:
        return warning(
            check, f"{found}: another one would not fit", "raise max_connections, or run fewer"
        )
    return fine(check, found)
