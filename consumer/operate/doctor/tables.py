"""The checks of the database, by what was learned of it."""

from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address

from consumer.drift.renames import ALIASES_DISAGREE, ALIASES_REMEDY
from consumer.load.migrations.schema import LACKING_REMEDY
from consumer.load.migrations.steps import schema_head
from consumer.operate.doctor.database import DatabaseFacts
from consumer.operate.doctor.findings import Finding, Unknown, fine, not_checked, problem, warning
from consumer.operate.doctor.roles import ALL, Needs
from consumer.settings import ConsumerSettings

_CHECK = "database"


def check_database(
    database: DatabaseFacts | Unknown, settings: ConsumerSettings, needs: Needs = ALL
) -> Iterator[Finding]:
    """Check the database against what this release needs for a role."""
    if isinstance(database, Unknown):
        yield problem(_CHECK, database.reason, database.remedy)
        yield not_checked("schema", "the database could not be asked", "see above")
        return
    yield from _access(database, settings)
    yield _schema(database)
    yield from _grants(database, migrates=needs.migrates)
    if database.alias_files > 1:
        yield warning("aliases", ALIASES_DISAGREE, ALIASES_REMEDY)
    if needs.runs:
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
    if not database.is_encrypted and not _is_local(settings.db_host):
        found = f"the connection to {settings.db_host} is not encrypted"
        remedy = "set DB_SSLMODE=verify-full, and DB_SSLROOTCERT to the CAs that sign for it"
        yield warning("encryption", found, remedy)
    yield fine(_CHECK, f"{name} on {settings.db_host} answers {user}")


def _is_local(host: str) -> bool:
    """Say whether what is sent to a host stays on this machine."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


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


def _grants(database: DatabaseFacts, *, migrates: bool) -> Iterator[Finding]:
    check, user = "tables", database.user
    lacking = [table for table in database.tables if table.lacking]
    foreign = [table for table in database.tables if not table.is_owned]
    for table in lacking:
        rights = ", ".join(table.lacking)
        remedy = f"as {table.owner}: GRANT {rights} ON {table.name} TO {user}"
        yield problem(check, f"{user} lacks {rights} on {table.name}", remedy)
    if foreign and migrates:
        names = ", ".join(table.name for table in foreign)
        found = f"{user} does not own {names}, and so cannot migrate them"
        yield warning(check, found, f"run `consumer migrate` with DB_USER={foreign[0].owner}")
    elif database.tables and not lacking:
        yield fine(check, f"{user} {'may use' if foreign else 'owns'} them")


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
